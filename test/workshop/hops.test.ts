import { deflateRawSync, deflateSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { hopsArgs } from '../../workshop/hops/args.ts'
import { causeOf, type Findings } from '../../workshop/hops/cause.ts'
import { comparisonText, verdictIn } from '../../workshop/hops/comparison-text.ts'
import { compare, type Comparison, type FourAsked } from '../../workshop/hops/comparison.ts'
import { decoderOf } from '../../workshop/hops/decode.ts'
import { judge, type Evidence } from '../../workshop/hops/judge.ts'
import { isDealtOut, matchEvents, ownStreams } from '../../workshop/hops/match-events.ts'
import { servePage } from '../../workshop/hops/page.ts'
import { recogniseHops } from '../../workshop/hops/recognise.ts'
import { report, resumption } from '../../workshop/hops/report.ts'
import { alignedContent, streamContent } from '../../workshop/hops/stream-events.ts'
import { answered, event, every, ticks, unanswered } from './hops-streams.ts'

// The words of the command.

test.each([
  ['one address is the live wire', ['http://a']],
  ['an address and a word that is not one', ['a:80', '10s']],
  ['nothing', []],
])('%s', (_case, words) => {
  expect(hopsArgs(words)).toBeUndefined()
})

test('words say how to watch, in any order', () => {
  const args = hopsArgs([
    'json',
    'localhost:3104/events',
    '30s',
    'insecure',
    'https://b',
    '5',
    'events',
    'Cookie: a=b',
  ])
  expect(args).toMatchObject({
    direct: new URL('http://localhost:3104/events'),
    public: new URL('https://b'),
    watch: { ms: 30_000, events: 5 },
    isInsecure: true,
    isJson: true,
    headers: { Cookie: 'a=b' },
  })
  expect(hopsArgs(['report', 'a.test', '500ms'])).toMatchObject({ watch: { ms: 500, events: 20 } })
})

test.each([
  [['report'], 'Name one address to report on'],
  [['report', 'a.test', 'b.test'], 'Name one address to report on'],
  [['a.test', 'b.test', 'c.test'], 'Name two addresses'],
  [['a.test', 'http://'], '"http://" is not a valid URL'],
  [['a.test', 'ftp://b'], 'must begin with http:// or https://'],
  [['a.test', 'b.test', '0s'], 'at most 10 minutes'],
  [['report', 'a.test', 'page'], 'Leave out the word page'],
  [['a.test', 'b.test', 'jsno'], '"jsno" is not a word that npm run wire knows here'],
])('%j is refused', (words, says) => {
  expect(hopsArgs(words)).toMatchObject({ problem: expect.stringContaining(says) as string })
})

// Events.

test('an event has the time of its last byte, and its id is apart from its bytes', () => {
  const { pieces } = answered([
    [1, ': hello\n\nretry: 2000\n\nid: 7\nda'],
    [2, 'ta: x\n'],
    [3, '\n:\n\n'],
  ])
  expect(streamContent(pieces, 'text/event-stream; charset=utf-8', { hasEnded: false })).toEqual({
    unit: 'event',
    events: [{ at: 3, id: '7', text: 'data: x', size: 15 }],
    heartbeats: [1, 3],
    retries: ['2000'],
    splits: [1, 2],
  })
})

test('any other text is lines, and a blank line is a heartbeat', () => {
  const { pieces } = answered([
    [1, '{"n":1}\n\n{"n"'],
    [2, ':2}\n{"n":3}'],
  ])
  const open = streamContent(pieces, 'application/x-ndjson', { hasEnded: false })
  expect(open.events.map(({ at, text }) => [at, text])).toEqual([
    [1, '{"n":1}'],
    [2, '{"n":2}'],
  ])
  expect(open.heartbeats).toEqual([1])
  const ended = streamContent(pieces, 'application/x-ndjson', { hasEnded: true })
  expect(ended.events.at(-1)).toMatchObject({ at: 2, text: '{"n":3}' })
})

test('a body without lines is cut where the reference is cut', () => {
  const of = (pieces: [number, string][]): ReturnType<typeof streamContent> =>
    streamContent(answered(pieces).pieces, 'text/plain', { hasEnded: false })
  const reference = of([
    [0, 'one '],
    [100, 'two '],
    [200, 'three '],
  ])
  const joined: [number, string][] = [
    [150, 'one two'],
    [220, ' thr'],
  ]
  const aligned = alignedContent(reference, of(joined), answered(joined).pieces)
  expect(aligned.events.map(({ at, text }) => [at, text])).toEqual([
    [150, 'one '],
    [220, 'two '],
  ])
})

// Decompression.

test.each([
  ['with zlib', deflateSync],
  ['without zlib', deflateRawSync],
])('deflate is decompressed %s', async (_case, compress) => {
  const text = await new Promise<string>((resolve, reject) => {
    let all = ''
    const decoder = decoderOf('deflate', (bytes) => (all += String(bytes)), reject)!
    decoder.push(compress('data: x\n\n'), 1)
    decoder.end(() => resolve(all))
  })
  expect(text).toBe('data: x\n\n')
})

test('an unknown coding and broken bytes are reported', async () => {
  expect(
    decoderOf(
      'lzma',
      () => {},
      () => {},
    ),
  ).toBeUndefined()
  const why = await new Promise((resolve) => {
    decoderOf('gzip', () => {}, resolve)!.push(Buffer.from('not gzip'), 1)
  })
  expect(why).toContain('header')
})

// Matching.

test('events are matched by id, and those before the second connection do not count', () => {
  const reference = [event(0, 'a', '1'), event(1, 'b', '2'), event(2, 'c', '3')]
  const { by, pairs, earlier } = matchEvents(reference, [event(5, 'b', '2')])
  expect(by).toBe('id')
  expect(earlier.map(({ id }) => id)).toEqual(['1'])
  expect(pairs.map(({ written, arrived }) => [written.id, arrived?.at])).toEqual([
    ['2', 5],
    ['3', undefined],
  ])
})

test('ids that each connection counts for itself do not match different events', () => {
  // The second client connected one event later, so its id 1 is the event that the first client knows as 2.
  const reference = [event(0, 'a', '1'), event(1, 'b', '2'), event(2, 'c', '3'), event(3, 'd', '4')]
  const other = [event(1, 'b', '1'), event(2, 'c', '2'), event(3, 'd', '3')]
  const { by, pairs } = matchEvents(reference, other)
  expect(by).toBe('bytes')
  expect(pairs.map(({ written, arrived }) => arrived!.at - written.at)).toEqual([0, 0, 0])
})

test('duplicates are matched in order and are ambiguous', () => {
  const reference = [event(0, 'ping'), event(1, 'x'), event(2, 'ping')]
  const other = [event(0, 'ping'), event(1, 'x'), event(2, 'ping'), event(3, 'ping')]
  const { pairs, extra } = matchEvents(reference, other)
  expect(pairs.map(({ arrived, isAmbiguous }) => [arrived?.at, isAmbiguous])).toEqual([
    [0, true],
    [1, false],
    [2, true],
  ])
  expect(extra.map(({ at }) => at)).toEqual([3])
})

test('without common ids and bytes, the order is left', () => {
  const { by, pairs } = matchEvents([event(0, 'at 12:00:01.1')], [event(1, 'at 12:00:01.2')])
  expect(by).toBe('order')
  expect(pairs[0]).toMatchObject({ isAmbiguous: true, arrived: { at: 1 } })
})

test('a server that deals its events out is recognised, but not random ids', () => {
  const odd = [1, 3, 5, 7].map((n) => event(n, `${n}`, `${n}`))
  const even = [2, 4, 6].map((n) => event(n, `${n}`, `${n}`))
  expect(isDealtOut([odd, even])).toBe(true)
  expect(isDealtOut([odd, odd])).toBe(false)
  expect(
    isDealtOut([
      [event(0, 'a', 'f3'), event(1, 'b', '9a')],
      [event(0, 'a', '77'), event(1, 'b', '1c')],
    ]),
  ).toBe(false)
})

test('streams of their own are late by the time by which the client asked later', () => {
  const at = (shift: number) => [0, 100, 200].map((time) => event(time + shift, `${time}`))
  expect(ownStreams(at(0), at(152), 150)).toEqual({ shiftMs: 152, jitterMs: 0 })
  expect(ownStreams(at(0), at(1), 150)).toBeUndefined()
})

// The verdict.

const WATCH = 10_000

function evidence(
  events: [written: number, arrived: number | undefined][],
  more: Partial<Evidence> = {},
): Evidence {
  return {
    heads: [],
    events: events.map(([written, arrived]) => ({ written, arrived })),
    writes: events.map(([written]) => written),
    splits: [],
    ended: undefined,
    until: WATCH,
    pathMs: 0,
    jitterMs: 0,
    ...more,
  }
}

test.each<[string, Evidence, string | undefined]>([
  [
    'each event on time',
    evidence([
      [0, 1],
      [100, 101],
      [200, 230],
    ]),
    'passes',
  ],
  ['no events', evidence([]), undefined],
  ['an event that was written a moment ago', evidence([[WATCH - 5, undefined]]), undefined],
  [
    'nothing arrived',
    evidence([
      [0, undefined],
      [100, undefined],
    ]),
    'holds',
  ],
  [
    'everything with the end',
    evidence(
      [
        [0, 900],
        [100, 900],
        [200, 900],
      ],
      { ended: 899 },
    ),
    'holds',
  ],
  [
    'a timer, in groups',
    evidence([
      [0, 200],
      [50, 200],
      [100, 200],
      [150, 200],
      [200, 400],
      [250, 400],
    ]),
    'late',
  ],
  [
    'a timer, event by event',
    evidence([
      [0, 200],
      [1000, 1200],
      [2000, 2200],
    ]),
    'late',
  ],
  [
    'each event with the next one',
    evidence([
      [0, 500],
      [500, 1000],
      [1000, 1500],
      [1500, undefined],
    ]),
    'behind',
  ],
  [
    'each event with the next heartbeat',
    evidence(
      [
        [0, 700],
        [1000, 1700],
        [2000, 2700],
      ],
      { writes: [0, 700, 1000, 1700, 2000, 2700] },
    ),
    'behind',
  ],
  [
    'a far address, as far as its path',
    evidence(
      [
        [0, 90],
        [1000, 1090],
      ],
      { pathMs: 90 },
    ),
    'passes',
  ],
  [
    'a far address with a timer',
    evidence(
      [
        [0, 290],
        [1000, 1290],
      ],
      { pathMs: 90 },
    ),
    'late',
  ],
])('%s', (_case, seen, verdict) => {
  expect(judge(seen)?.verdict).toBe(verdict)
})

test('a buffer passes on what it has when an event fills it', () => {
  const events = every(100, 12).map((written) => ({
    written,
    arrived: Math.ceil((written + 1) / 400) * 400 - 100 + 1,
  }))
  const judgement = judge({
    ...evidence([]),
    events,
    writes: events.map(({ written }) => written),
    splits: events.map(({ arrived }) => arrived),
  })
  expect(judgement).toMatchObject({ verdict: 'holds', late: 9, of: 12, releases: { full: 3 } })
})

test('a full buffer may end in the middle of the event that fills it', () => {
  // Each event but the sixth fits, and the rest of the sixth arrives with the next group.
  const arrivals = [500, 500, 500, 500, 500, 1100, 1100, 1100, 1100, 1100, 1100]
  const events = every(100, 11).map((written, n) => ({ written, arrived: arrivals[n]! }))
  const writes = every(100, 12)
  expect(judge({ ...evidence([]), events, writes, splits: [500, 1100] })?.verdict).toBe('holds')
  // A timer that goes off at the same moments does not split an event.
  expect(judge({ ...evidence([]), events, writes })?.verdict).toBe('late')
})

test('a head waits if it arrives with the first byte, each time that the two were apart at the reference', () => {
  const head = (reference: number, firstByte: number, judged: number | undefined) => ({
    reference: { head: reference, firstByte },
    judged: { head: judged, firstByte: judged },
  })
  const events: [number, number][] = [
    [300, 301],
    [400, 401],
  ]
  const verdictWith = (...heads: Evidence['heads']): string =>
    judge(evidence(events, { heads }))!.verdict
  expect(verdictWith(head(2, 300, 301))).toBe('head waits')
  expect(
    verdictWith({
      reference: { head: 2, firstByte: undefined },
      judged: { head: undefined, firstByte: undefined },
    }),
  ).toBe('head waits')
  // A fast stream, and a head that arrived with the first byte by chance.
  expect(verdictWith(head(2, 20, 21))).toBe('passes')
  expect(verdictWith(head(2, 20, 21), head(2, 14, 15), head(2, 30, 31))).toBe('head waits')
  // The app sends its head with its first byte.
  expect(verdictWith(head(300, 300, 301))).toBe('passes')
  // The first connection took some time.
  expect(
    verdictWith({ reference: { head: 2, firstByte: 300 }, judged: { head: 85, firstByte: 300 } }),
  ).toBe('passes')
})

// The whole comparison.

function comparison(four: Partial<FourAsked>, until = WATCH): Comparison {
  const direct = four.direct ?? answered(ticks(every(500, 10, 500)))
  const passing = answered(ticks(every(500, 10, 501)), { asked: 150 })
  return compare(
    { directAsBrowser: passing, public: passing, publicAsBrowser: passing, ...four, direct },
    { until, pathMs: 0 },
  )
}

test('a compressor in a hop is named, with the line to change', () => {
  const compared = comparison({
    publicAsBrowser: answered([], {
      headers: { 'content-encoding': 'gzip', server: 'nginx/1.22.1' },
    }),
  })
  expect(compared).toMatchObject({
    verdict: 'holds',
    cause: {
      where: 'hop',
      isCompressed: true,
      lines: [{ program: 'nginx', line: 'gzip off;' }, {}],
    },
  })
  expect(verdictIn('publicAsBrowser', compared)).toBe('holds, compressed')
  expect(verdictIn('public', compared)).toBe('passes')
})

test('a compressor in the app is not blamed on the hop', () => {
  const compressed = answered([], { headers: { 'content-encoding': 'br' } })
  const compared = comparison({ directAsBrowser: compressed, publicAsBrowser: compressed })
  expect(compared.cause).toMatchObject({ where: 'app', isCompressed: true })
  expect(compared.cause!.lines.map(({ line }) => line)).toContain(
    'Cache-Control: no-store, no-transform',
  )
})

test('a stream that sends nothing, or no head, is not judged', () => {
  const silent = answered([])
  expect(
    comparison({ direct: silent, public: silent, publicAsBrowser: silent }).notes[0],
  ).toContain('sent no events')
  const compared = comparison({ direct: unanswered(), public: unanswered() })
  expect(compared.notes[0]).toContain('did not even send a head')
  expect(compared.verdict).toBeUndefined()
})

test('a head that never arrives holds the stream', () => {
  const compared = comparison({ public: unanswered(), publicAsBrowser: unanswered() })
  expect(compared.verdict).toBe('holds')
  expect(comparisonText(compared, { width: 80, most: 20 })).toContain('The head did not arrive.')
})

test.each<[string, Partial<FourAsked>, string]>([
  ['a 404', { public: answered([], { status: 404 }) }, 'it answered 404 Error'],
  [
    'a refused connection',
    { public: unanswered('nothing listens at app.test') },
    'nothing listens',
  ],
  [
    'a page',
    { public: answered([[1, '<h1>Login</h1>']], { headers: { 'content-type': 'text/html' } }) },
    'it answered with an HTML page',
  ],
])('%s is no stream', (_case, { public: away }, says) => {
  const compared = comparison({ public: away!, publicAsBrowser: away! })
  expect(compared.verdict).toBeUndefined()
  expect(comparisonText(compared, { width: 80, most: 20 })).toContain(
    `The public address is no stream: ${says}`,
  )
})

test('events that are missing, repeated or extra are counted in the notes', () => {
  const [, second, , ...others] = ticks(every(500, 10, 501))
  const away = answered([second!, ...others, [6000, 'id: 99\ndata: extra\n\n']])
  const { notes } = comparison({ public: away, publicAsBrowser: away })
  expect(notes.join('\n')).toContain('1 event arrived at the direct address before')
  expect(notes.join('\n')).toContain('1 event did not arrive at the public address')
  expect(notes.join('\n')).toContain('1 event arrived only at the public address')
})

test('events that are late because the client asked later are not late', () => {
  const own = (asked: number) => answered(ticks(every(500, 8, asked + 500)), { asked })
  const compared = comparison({
    direct: own(0),
    public: own(3),
    directAsBrowser: own(150),
    publicAsBrowser: own(155),
  })
  expect(compared.verdict).toBe('passes')
  expect(compared.notes[0]).toContain('a stream of its own')
  // A timer is still seen.
  const late = answered(ticks(every(500, 8, 855)), { asked: 155 })
  const delayed = compare(
    { direct: own(0), public: late, directAsBrowser: own(150), publicAsBrowser: late },
    { until: WATCH, pathMs: 0 },
  )
  expect(delayed.verdict).toBe('late')
})

test('an app that collects its events is told so', () => {
  const burst = answered(ticks([900, 900, 901]))
  const { notes } = comparison({ direct: burst, public: burst, publicAsBrowser: burst })
  expect(notes.join('\n')).toContain('the app may collect them')
})

// The page.

test('the page has the verdict, both arrivals of each event, and nothing that a server could inject', async () => {
  const hostile: [number, string][] = [
    [500, 'id: 1\ndata: 1\n\n'],
    [1000, 'id: <script>alert(1)</script>\ndata: 2\n\n'],
  ]
  const late = hostile.map(([at, text]): [number, string] => [at + 200, text])
  const compared = comparison({
    direct: answered(hostile),
    public: answered(late),
    directAsBrowser: answered(hostile, { asked: 150 }),
    publicAsBrowser: answered(late, { asked: 150 }),
  })
  const served = await servePage(compared, { most: 20, ports: [0] })
  try {
    const url = `http://127.0.0.1:${served.port}`
    const page = await (await fetch(url)).text()
    expect(page).toContain('<strong>late</strong>')
    expect(page).toContain('option http-no-delay')
    expect(page.match(/<circle class="public"/g)).toHaveLength(2)
    expect(page).not.toContain('<script')
    const files = [...page.matchAll(/href="(\/[^"]+)"/g)].map(([, path]) => path!)
    for (const path of files) expect((await fetch(url + path)).status).toBe(200)
  } finally {
    await served.close()
  }
})

// The cause.

const PASSES: Findings = {
  directAsBrowser: 'passes',
  publicPlain: 'passes',
  publicAsBrowser: 'passes',
  directCoding: undefined,
  publicCoding: undefined,
  hops: [],
  path: '/events',
  saysUnbuffered: false,
  saysNoTransform: false,
}

test.each<[string, Partial<Findings>, string | undefined, string]>([
  [
    'nginx buffers',
    { publicPlain: 'holds', hops: [{ name: 'nginx', by: '' }] },
    'proxy_buffering off;',
    'nginx likely collects',
  ],
  [
    'a second nginx buffers',
    { publicPlain: 'holds', hops: [{ name: 'nginx', by: '' }], saysUnbuffered: true },
    'proxy_buffering off;',
    'A second nginx',
  ],
  [
    'Varnish buffers',
    { publicPlain: 'holds', hops: [{ name: 'Varnish', by: '' }] },
    'set beresp.do_stream = true;',
    'Varnish likely',
  ],
  [
    'an unknown hop buffers',
    { publicPlain: 'holds' },
    'X-Accel-Buffering: no',
    'A hop that adds no header',
  ],
  ['a timer', { publicPlain: 'late' }, 'option http-no-delay', 'likely waits for a timer'],
  [
    'a head waits',
    { publicPlain: 'head waits' },
    'X-Accel-Buffering: no',
    'the head only together',
  ],
  [
    'behind',
    { publicPlain: 'behind', hops: [{ name: 'nginx', by: '' }] },
    'proxy_buffering off;',
    'until the next one',
  ],
  [
    'Caddy compresses',
    { publicAsBrowser: 'head waits', publicCoding: 'gzip', hops: [{ name: 'Caddy', by: '' }] },
    '@page not path /events   and   encode @page gzip',
    'Caddy likely compresses',
  ],
  ['nothing', {}, undefined, 'No hop delayed'],
])('the cause: %s', (_case, findings, line, says) => {
  const cause = causeOf({
    ...PASSES,
    ...(findings.publicPlain && { publicAsBrowser: findings.publicPlain }),
    ...findings,
  })
  expect(cause.lines[0]?.line).toBe(line)
  expect(cause.text).toContain(says)
})

test('a hop is recognised by a header that the app does not send itself', () => {
  expect(recogniseHops({ server: 'nginx/1.22.1' }, { server: 'nginx/1.22.1' })).toEqual([])
  expect(recogniseHops({ 'x-varnish': '3', via: '1.1 varnish (Varnish/7.1)' })).toEqual([
    { name: 'Varnish', by: 'x-varnish: 3' },
  ])
  expect(recogniseHops({ server: 'cloudflare', 'cf-ray': 'abc' }).map(({ name }) => name)).toEqual([
    'Cloudflare',
  ])
})

// The report.

test.each<[string, [number, string][], string]>([
  ['replays', ticks([1, 2], { from: 4 }), 'replays'],
  ['repeats the event with that id', ticks([1, 2], { from: 3 }), 'repeats'],
  ['starts over', ticks([1, 2]), 'starts over'],
  ['ignores', ticks([900], { from: 9 }), 'ignores'],
  ['skips', ticks([1], { from: 5 }), 'skips'],
  ['silent', [], 'silent'],
])('Last-Event-ID: the server %s', (_case, pieces, outcome) => {
  const seen = ticks(every(100, 5)).map(([at, text], n) => event(at, text, `${n + 1}`))
  expect(resumption(seen, '3', answered(pieces)).outcome).toBe(outcome)
})

test('Last-Event-ID: the server refuses', () => {
  const refused = resumption([event(0, 'a', '1')], '1', answered([], { status: 204 }))
  expect(refused).toMatchObject({
    outcome: 'refuses',
    problem: expect.stringContaining('204') as string,
  })
})

test.each<[string, Parameters<typeof answered>, Parameters<typeof answered>, object]>([
  [
    'both served',
    [ticks(every(100, 9, 50))],
    [ticks(every(100, 8, 151), { from: 2 }), { asked: 100, head: 101 }],
    { outcome: 'both served', both: 8, of: 8, ids: 'the same' },
  ],
  [
    'own ids',
    [ticks(every(100, 9, 50)).map(([at, text]) => [at, text.replace(/^id: /, 'id: a')])],
    [
      ticks(every(100, 8, 151), { from: 2 }).map(([at, text]) => [
        at,
        text.replace(/^id: /, 'id: b'),
      ]),
      { asked: 100, head: 101 },
    ],
    { outcome: 'both served', ids: 'different' },
  ],
  [
    'the first cut',
    [ticks([50]), { ended: { at: 120, how: 'cut' } }],
    [ticks([151], { from: 2 }), { asked: 100, head: 101 }],
    { outcome: 'the first cut', afterMs: 20 },
  ],
  [
    'the second refused',
    [ticks([50])],
    [[], { asked: 100, status: 429 }],
    { outcome: 'the second refused' },
  ],
  [
    'history',
    [ticks(every(100, 4, 50))],
    [[...ticks([102, 102]), ...ticks([251, 351], { from: 3 })], { asked: 200, head: 201 }],
    { outcome: 'both served', history: 2 },
  ],
])('the second client: %s', (_case, first, second, expected) => {
  const browser = answered([], { asked: 110 })
  const seen = report({
    first: answered(...first),
    second: answered(...second),
    browser,
    watchedMs: 1000,
    waitedMs: 2000,
  })
  expect(seen.secondClient).toMatchObject(expected)
})
