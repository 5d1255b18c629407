import type { Picture, Shape } from './draw.ts'
import { arrow, box, code, dot, labelled, line, text } from './shapes.ts'

const middle = { anchor: 'middle' } as const

/** One picture per lesson, of the mechanism that takes the most words. */
export const PICTURES: readonly Picture[] = [
  backpressure(),
  reconnect(),
  sixConnections(),
  whoHoldsWhat(),
  bell(),
  backoff(),
  ruleChange(),
  ringOfFrames(),
  sharedLog(),
  oneAnswer(),
]

function backpressure(): Picture {
  const full: [x: number, width: number, name: string][] = [
    [158, 76, 'Node'],
    [254, 62, 'kernel'],
    [336, 62, 'kernel'],
  ]
  return {
    name: 'backpressure',
    title:
      "Bytes go from the feed through your loop, Node's buffer and two kernels to the client. The client reads nothing, so all three buffers are full, and your loop asks the feed for nothing more.",
    width: 480,
    height: 200,
    shapes: [
      text([160, 24], "the server's machine", middle),
      text([405, 24], "the client's machine", middle),
      line([326, 12], [326, 160], { tone: 'quiet', isDashed: true }),
      ...labelled([6, 40], [46, 46], ['feed'], { tone: 'server' }),
      ...labelled([72, 40], [66, 46], ['your', 'loop'], { tone: 'server' }),
      ...full.flatMap(([x, width, name]) => [
        ...labelled([x, 40], [width, 46], [name], { tone: 'bad', isFilled: true }),
        text([x + width / 2, 104], 'full', { ...middle, tone: 'bad' }),
      ]),
      ...labelled([418, 40], [56, 46], ['client'], { tone: 'client' }),
      text([446, 104], 'stalled', { ...middle, tone: 'client' }),
      ...[52, 138, 234, 316, 398].map((x) => arrow([x, 63], [x + 20, 63])),
      ...[446, 367, 285, 196, 105].map((x, n) =>
        arrow([x, 128], [[367, 285, 196, 105, 29][n]!, 128], { tone: 'bad' }),
      ),
      code([170, 146], 'false', { ...middle, tone: 'bad' }),
      text([67, 146], 'asks for nothing', { ...middle, tone: 'bad' }),
      text([241, 146], 'no room', { ...middle, tone: 'bad' }),
      text([240, 184], 'Each full buffer makes the one before it wait, as far back as the feed.', {
        ...middle,
        tone: 'quiet',
      }),
    ],
  }
}

function reconnect(): Picture {
  const [client, server] = [160, 420]
  const sends = (y: number, words: string): Shape[] => [
    arrow([client, y], [server, y], { tone: 'client' }),
    code([290, y - 6], words, { ...middle, tone: 'client' }),
  ]
  const answers = (y: number, words: string): Shape[] => [
    arrow([server, y], [client, y], { tone: 'server' }),
    code([290, y - 6], words, { ...middle, tone: 'server' }),
  ]
  const lost = (y: number, words: string): Shape[] => [
    line([server, y], [290, y], { tone: 'bad', isDashed: true }),
    text([281, y + 5], '✕', { anchor: 'end', tone: 'bad' }),
    text([355, y - 6], words, { ...middle, tone: 'bad' }),
    text([150, y + 5], 'error: CONNECTING', { anchor: 'end', tone: 'bad' }),
    box([client - 4, y], [8, 56], { tone: 'quiet', isFilled: true }),
    text([150, y + 33], 'waits 2 seconds', { anchor: 'end', tone: 'quiet' }),
  ]
  return {
    name: 'reconnect',
    title:
      'An EventSource reconnects with Last-Event-ID each time the connection is lost or the response ends, until the server answers 204.',
    width: 480,
    height: 392,
    shapes: [
      text([client, 24], 'EventSource', { ...middle, tone: 'client' }),
      text([server, 24], 'your server', { ...middle, tone: 'server' }),
      line([client, 34], [client, 380], { tone: 'quiet' }),
      line([server, 34], [server, 380], { tone: 'quiet' }),
      ...sends(60, 'GET /events'),
      ...answers(86, '200, retry: 2000'),
      ...answers(112, 'id: 7'),
      ...lost(138, 'connection lost'),
      ...sends(214, 'GET, Last-Event-ID: 7'),
      ...answers(240, '200, id: 8'),
      ...lost(266, 'response ends'),
      ...sends(342, 'GET, Last-Event-ID: 8'),
      ...answers(368, '204 No Content'),
      text([150, 373], 'error: CLOSED', { anchor: 'end', tone: 'bad' }),
    ],
  }
}

function sixConnections(): Picture {
  const names = ['header', 'list', 'map']
  const tab = (y: number, name: string): Shape[] => [
    box([8, y], [132, 66]),
    text([18, y + 38], name, { tone: 'quiet' }),
    ...names.map((each, n) => text([130, y + 18 + n * 20], each, { anchor: 'end' })),
  ]
  const direct = [50, 70, 90, 126, 146, 166]
  return {
    name: 'six-connections',
    title:
      'Without a store, three components in two tabs use all six connections that a browser opens to a server, and the next request waits. With a store in each tab, they use two.',
    width: 480,
    height: 412,
    shapes: [
      text([8, 22], 'An EventSource for each component'),
      ...tab(36, 'tab 1'),
      ...tab(112, 'tab 2'),
      ...direct.map((y) => arrow([140, y - 4], [384, y - 4], { tone: 'client' })),
      ...labelled([384, 36], [88, 142], ['server'], { tone: 'server' }),
      code([8, 205], 'GET /page', { tone: 'bad' }),
      line([84, 201], [240, 201], { tone: 'bad', isDashed: true }),
      text([248, 205], 'waits: six are open', { tone: 'bad' }),
      text([8, 246], 'A store in each tab'),
      ...[260, 336].flatMap((y, n) => [
        ...tab(y, `tab ${n + 1}`),
        ...[14, 34, 54].map((row) => line([140, y + row], [166, y + 33], { tone: 'client' })),
        ...labelled([166, y + 18], [52, 30], ['store'], { tone: 'client', isFilled: true }),
        arrow([218, y + 33], [384, y + 33], { tone: 'client' }),
      ]),
      ...labelled([384, 260], [88, 132], ['server'], { tone: 'server' }),
      text([300, 335], 'four are free', { ...middle, tone: 'quiet' }),
    ],
  }
}

function whoHoldsWhat(): Picture {
  const sent = [120, 210, 300, 390]
  const lane = (y: number, verdict: string, arrivals: number[], words: string): Shape[] => [
    code([8, y + 4], verdict, { tone: 'client' }),
    line([106, y], [466, y], { tone: 'quiet', isDashed: true }),
    ...sent.flatMap((x, n) => [
      line([x, y - 9], [x, y + 9], { tone: 'server' }),
      ...(arrivals[n]! > x ? [line([x, y], [arrivals[n]!, y], { tone: 'client' })] : []),
      dot([arrivals[n]!, y], 'client'),
    ]),
    text([106, y + 28], words, { tone: 'quiet' }),
  ]
  return {
    name: 'who-holds-what',
    title:
      'Three hops between the same server and client: one passes each part on at once, one holds the head until the first event, and one holds everything until the end.',
    width: 480,
    height: 268,
    shapes: [
      text([8, 40], 'server sends', { tone: 'server' }),
      ...['head', 'one', 'two', 'end'].map((name, n) =>
        text([sent[n]!, 24], name, { ...middle, tone: 'server' }),
      ),
      line([106, 40], [466, 40], { tone: 'quiet' }),
      ...sent.map((x) => line([x, 31], [x, 49], { tone: 'server' })),
      ...lane(86, 'passes', [120, 210, 300, 390], 'Each part arrives when it is sent.'),
      ...lane(
        150,
        'head waits',
        [210, 222, 300, 390],
        'The head arrives together with the first event.',
      ),
      ...lane(
        214,
        'holds',
        [390, 402, 414, 426],
        'The buffer is not full, so everything waits for the end.',
      ),
    ],
  }
}

function bell(): Picture {
  const entry = (x: number, name: string, isNew = false): Shape[] =>
    labelled([x - 10, 32], [20, 22], [name], { tone: 'server', isFilled: isNew })
  const ring = (x: number): Shape[] => [
    arrow([x, 54], [x, 100], { tone: 'bad' }),
    text([x + 6, 80], 'bell', { tone: 'bad' }),
  ]
  const read = (x: number, width: number, words: string): Shape[] => [
    box([x, 102], [width, 28], { tone: 'server' }),
    code([x + width / 2, 120], words, { ...middle, tone: 'server' }),
  ]
  const arrives = (x: number, name: string): Shape[] => [
    arrow([x, 130], [x, 176], { tone: 'client' }),
    dot([x, 182], 'client'),
    text([x, 206], name, { ...middle, tone: 'client' }),
  ]
  return {
    name: 'bell',
    title:
      'The server subscribes, then reads the history after the cursor. Entry e is appended during the read and rings the bell, so the loop reads again and sends e. Then it waits until f rings.',
    width: 480,
    height: 240,
    shapes: [
      text([8, 48], 'history', { tone: 'server' }),
      ...['a', 'b', 'c', 'd'].flatMap((name, n) => entry(78 + n * 24, name)),
      text([8, 120], 'your loop', { tone: 'server' }),
      line([76, 116], [466, 116], { tone: 'quiet' }),
      text([8, 186], 'client has b', { tone: 'client' }),
      ...read(76, 134, 'after(b)'),
      ...entry(186, 'e', true),
      ...ring(186),
      ...arrives(218, 'c'),
      ...arrives(238, 'd'),
      ...read(252, 66, 'after(d)'),
      ...arrives(328, 'e'),
      text([358, 110], 'waits', { ...middle, tone: 'quiet' }),
      ...entry(388, 'f', true),
      ...ring(388),
      ...read(384, 66, 'after(e)'),
      ...arrives(460, 'f'),
      text([240, 230], 'It rang during the first read, so the loop reads again before it waits.', {
        ...middle,
        tone: 'quiet',
      }),
    ],
  }
}

function backoff(): Picture {
  const seconds = [1, 2, 4, 8, 16, 30]
  // The parts of the longest wait for which four clients wait.
  const parts = [
    [0.2, 0.5, 0.6, 0.9],
    [0.1, 0.4, 0.7, 0.95],
    [0.3, 0.45, 0.8, 0.9],
    [0.05, 0.35, 0.6, 0.85],
    [0.15, 0.4, 0.55, 0.9],
    [0.1, 0.3, 0.65, 0.8],
  ]
  const zero = 150
  const scale = 10
  return {
    name: 'backoff',
    title:
      'With each consecutive failure the longest wait doubles, from 1 second up to 30. Each of four clients waits for a random part of it, so their requests are spread out.',
    width: 480,
    height: 258,
    shapes: [
      text([8, 24], 'failures before'),
      text([zero, 24], 'the longest wait, and when four clients reconnect'),
      ...seconds.flatMap((longest, failures) => {
        const y = 40 + failures * 32
        return [
          code([8, y + 15], `${failures}`),
          text([132, y + 15], `${longest} s`, { anchor: 'end', tone: 'quiet' }),
          box([zero, y], [longest * scale, 20], { tone: 'quiet', isFilled: true }),
          ...parts[failures]!.map((part) => {
            const x = zero + part * longest * scale
            return line([x, y - 4], [x, y + 24], { tone: 'client' })
          }),
        ]
      }),
      text([zero, 248], 'maxMs is 30 s, so the wait grows no further.', { tone: 'quiet' }),
    ],
  }
}

function ruleChange(): Picture {
  const [rules, client, stream] = [60, 216, 396]
  const record = (y: number, rule: string): Shape[] => [
    arrow([stream, y], [client, y], { tone: 'server' }),
    code([306, y - 6], `record, rule ${rule}`, { ...middle, tone: 'server' }),
  ]
  const changed = 158
  return {
    name: 'rule-change',
    title:
      'A request replaces rule 1 with rule 2 while the stream stays open. Rule 1 judges every record before the acknowledgement, and rule 2 every record after it.',
    width: 480,
    height: 312,
    shapes: [
      code([rules, 24], '/stream/rules', { ...middle, tone: 'server' }),
      text([client, 24], 'client', { ...middle, tone: 'client' }),
      code([434, 24], '/stream', { ...middle, tone: 'server' }),
      line([rules, 34], [rules, 270], { tone: 'quiet' }),
      line([client, 34], [client, 270], { tone: 'quiet' }),
      ...labelled([stream, 34], [76, changed - 34], ['rule 1', 'judges'], { tone: 'server' }),
      ...labelled([stream, changed], [76, 270 - changed], ['rule 2', 'judges'], {
        tone: 'server',
        isFilled: true,
      }),
      ...record(62, '1'),
      ...record(90, '1'),
      arrow([client, 118], [rules, 118], { tone: 'client' }),
      code([138, 112], 'POST add 2 delete 1', { ...middle, tone: 'client' }),
      ...record(126, '1'),
      box([rules - 4, 118], [8, 76], { tone: 'server', isFilled: true }),
      arrow([stream, changed], [client, changed]),
      code([306, changed - 6], '{"rules":{"version":2,…', middle),
      arrow([rules + 4, 194], [client, 194], { tone: 'server' }),
      code([138, 188], '200 … "version":2', { ...middle, tone: 'server' }),
      ...record(206, '2'),
      ...record(234, '2'),
      text([240, 300], 'The 200 may arrive before or after the acknowledgement.', {
        ...middle,
        tone: 'quiet',
      }),
    ],
  }
}

function ringOfFrames(): Picture {
  const newest = ['102', '103', '104', '105', '106', '107', '108', '109']
  const xOf = (n: number): number => 176 + n * 37
  const cursor = (x: number, y: number, tone: 'client' | 'bad'): Shape[] => [
    dot([x, y], tone),
    arrow([x, y], [x, 76], { tone }),
  ]
  return {
    name: 'ring',
    title:
      'The ring has the frames 102 to 109. The quick client has them all, the slow client has those up to 104, and the cursor of the stalled client is at 37, so it gets a gap of 64 and then frame 102.',
    width: 480,
    height: 232,
    shapes: [
      text([92, 24], 'dropped', { ...middle, tone: 'bad' }),
      text([324, 24], 'the ring, with a limit of 8', { ...middle, tone: 'server' }),
      ...labelled([8, 36], [36, 34], ['37'], { tone: 'quiet' }),
      ...labelled([48, 36], [118, 34], ['38 to 101'], { tone: 'bad' }),
      ...newest.flatMap((id, n) =>
        labelled([xOf(n), 36], [33, 34], [id], { tone: 'server', isFilled: true }),
      ),
      ...cursor(xOf(7) + 16, 104, 'client'),
      text([xOf(7) + 4, 108], 'quick: has everything', { anchor: 'end', tone: 'client' }),
      ...cursor(xOf(2) + 16, 136, 'client'),
      text([xOf(2) + 28, 140], 'slow: 105 to 109 are waiting', { tone: 'client' }),
      ...cursor(26, 168, 'bad'),
      text([38, 172], 'stalled', { tone: 'bad' }),
      line([92, 168], [xOf(0) + 16, 168], { tone: 'bad', isDashed: true }),
      arrow([xOf(0) + 16, 168], [xOf(0) + 16, 76], { tone: 'bad' }),
      code([xOf(0) + 28, 172], 'event: gap {"dropped":64}', { tone: 'bad' }),
      text([240, 216], 'A client costs only a number, wherever its cursor is.', {
        ...middle,
        tone: 'quiet',
      }),
    ],
  }
}

function sharedLog(): Picture {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
  const xOf = (n: number): number => 124 + n * 38
  const entries = (y: number, from: number, to: number): Shape[] =>
    names
      .slice(from, to)
      .flatMap((name, n) =>
        labelled([xOf(from + n), y], [34, 26], [name], { tone: 'server', isFilled: true }),
      )
  const [f, g] = [xOf(5) + 17, xOf(6) + 17]
  return {
    name: 'shared-log',
    title:
      'Process B has read up to e. A client reconnects from process A with the cursor f. B asks Redis, which knows f, so the client has no gap, and gets g once.',
    width: 480,
    height: 288,
    shapes: [
      text([8, 34], 'window of A', { tone: 'quiet' }),
      ...entries(16, 3, 6),
      text([g, 34], 'killed', { ...middle, tone: 'bad' }),
      text([8, 92], 'Redis', { tone: 'server' }),
      ...entries(74, 0, 7),
      text([8, 166], 'window of B', { tone: 'server' }),
      ...entries(148, 2, 5),
      box([xOf(5), 148], [34, 26], { tone: 'bad', isDashed: true }),
      text([g + 10, 166], 'not read yet', { tone: 'bad' }),
      text([8, 242], 'client has f', { tone: 'client' }),
      dot([f, 238], 'client'),
      arrow([f, 230], [f, 176], { tone: 'client' }),
      code([f - 8, 210], 'Last-Event-ID: f', { anchor: 'end', tone: 'client' }),
      arrow([f, 146], [f, 102], { tone: 'server' }),
      code([f - 8, 128], 'XRANGE f +', { anchor: 'end', tone: 'server' }),
      arrow([g, 102], [g, 230], { tone: 'server' }),
      code([g + 10, 128], 'f, g', { tone: 'server' }),
      dot([g, 238], 'client'),
      text([g + 12, 242], 'g', { tone: 'client' }),
      text([240, 276], 'The answer begins with f, so nothing is missing, and g is new.', {
        ...middle,
        tone: 'quiet',
      }),
    ],
  }
}

function oneAnswer(): Picture {
  const reader = (y: number, name: string, what: string, isGone = false): Shape[] => {
    const tone = isGone ? 'bad' : 'client'
    return [
      ...labelled([352, y], [120, 34], [name], { tone }),
      line([300, 103], [352, y + 17], { tone, isDashed: isGone, hasArrow: !isGone }),
      text([412, y + 52], what, { ...middle, tone }),
    ]
  }
  return {
    name: 'one-answer',
    title:
      'A generator fills the list of one answer, and each reader gets its events from the list. A disconnect removes only one reader. A stop aborts the signal of the generator.',
    width: 480,
    height: 262,
    shapes: [
      ...labelled([8, 80], [92, 46], ['generator'], { tone: 'server' }),
      arrow([100, 103], [138, 103], { tone: 'server' }),
      text([219, 60], 'the answer “8e03”', { ...middle, tone: 'server' }),
      ...['1', '2', '3', '4'].flatMap((id, n) =>
        labelled([138 + n * 41, 86], [37, 34], [id], { tone: 'server', isFilled: true }),
      ),
      ...reader(16, 'POST', 'has 1 to 4'),
      ...reader(86, 'GET', 'asks for 3 and 4'),
      ...reader(156, 'GET', 'disconnected', true),
      code([200, 196], 'POST …/8e03/stop', { ...middle, tone: 'client' }),
      line([118, 192], [54, 192], { tone: 'client' }),
      arrow([54, 192], [54, 126], { tone: 'client' }),
      text([64, 160], 'signal aborts', { tone: 'client' }),
      text([240, 246], 'A disconnect removes one reader. Only a stop ends the answer.', {
        ...middle,
        tone: 'quiet',
      }),
    ],
  }
}
