import type { Asked } from './ask.ts'
import { acceptedCodings } from './decode.ts'
import { isDealtOut, matchEvents, ownStreams } from './match-events.ts'
import { median } from './median.ts'
import { recogniseHops, type Recognised } from './recognise.ts'
import { streamContent, type StreamContent, type StreamEvent } from './stream-events.ts'
import { streamProblem } from './stream-problem.ts'

/** The answers of one address. Times are in milliseconds since the first request. */
export type Probes = {
  first: Asked
  /** A second client, which asked when the first one was being served. */
  second: Asked
  /** A third client, which accepts compression. */
  browser: Asked
  watchedMs: number
  /** For how long each of the following requests may wait for its answer. */
  waitedMs: number
  /** A request with the `Last-Event-ID` of an event that the first client has seen. */
  resumed?: { cursor: string; asked: Asked }
  head?: Asked
  /** A request with a foreign `Origin`. */
  crossOrigin?: Asked
  /** A request with a method that the address should not accept. */
  method?: Asked
  /** The protocol that the server prefers over TLS. */
  protocol?: string
}

/** Everything that was seen at one address, which is also the JSON of the command. */
export type Report = {
  /** The address that was asked. */
  url: string
  redirects: Asked['redirects']
  problem?: string
  watchedMs: number
  waitedMs: number
  answer?: {
    status: number
    text: string
    version: string
    headers: Record<string, string>
    connectMs?: number
    headMs: number
  }
  protocol?: string
  hops: Recognised[]
  unit: StreamContent['unit']
  events: {
    count: number
    bytes: number
    /** The time between the head and the first event. */
    afterHeadMs?: number
    intervalMs?: number
    longestSilenceMs: number
    ended?: 'complete' | 'cut'
  }
  heartbeats: { count: number; intervalMs?: number }
  ids: { count: number; different: number; isAscending?: boolean }
  retries: string[]
  compression: {
    /** The codings that the client accepted. */
    asked: string
    coding?: string
    bytes: number
    decodedBytes: number
    /** The events that both clients have, and how many of them arrived within the limit of the uncompressed ones. */
    of: number
    inTime: number
    limitMs: number
    delays?: { least: number; median: number; most: number }
    problem?: string
  }
  secondClient: {
    outcome: 'both served' | 'the first cut' | 'the second refused' | 'dealt out' | 'unclear'
    /** The events that arrived at both, and those that arrived at the first after the second had connected. */
    both: number
    of: number
    /** The events from before it connected that the second client got. */
    history: number
    /** Whether each client gets a stream of its own, which begins when the client connects. */
    isOwnStream: boolean
    ids?: 'the same' | 'different'
    /** For a cut: how long after the second request it happened. */
    afterMs?: number
    problem?: string
  }
  lastEventId?: {
    cursor: string
    outcome: 'replays' | 'repeats' | 'starts over' | 'ignores' | 'skips' | 'silent' | 'refuses'
    /** The id of the event that should come next, and the id of the first event that came. */
    next?: string
    got?: string
    problem?: string
  }
  head?: Answer
  crossOrigin?: Answer & { allowOrigin?: string; allowCredentials?: string }
  method?: Answer & { allow?: string }
  /** The arrivals of the three clients, for the chart. */
  lanes: { who: string; head?: number; events: number[]; heartbeats: number[]; ended?: number }[]
}

/** A short answer. Without a status, there was none. */
export type Answer = { status?: number; text?: string; ms?: number; problem?: string }

/** Draws the conclusions from what was seen. */
export function report(probes: Probes): Report {
  const { first, second, browser, watchedMs, waitedMs, resumed, head, crossOrigin, method } = probes
  const content = contentOf(first)
  const { events, heartbeats, retries, unit } = content
  const headers = first.head?.headers ?? {}
  const problem = streamProblem(first)
  return {
    url: first.requested,
    redirects: first.redirects,
    ...(problem && { problem }),
    watchedMs,
    waitedMs,
    ...(first.head && {
      answer: {
        status: first.head.status,
        text: first.head.text,
        version: first.head.version,
        headers,
        ...(first.connectMs !== undefined && { connectMs: first.connectMs }),
        headMs: first.head.at - first.asked,
      },
    }),
    ...(probes.protocol !== undefined && { protocol: probes.protocol }),
    hops: recogniseHops(headers),
    unit,
    events: eventsSeen(first, content, watchedMs),
    heartbeats: { count: heartbeats.length, ...intervalOf(heartbeats) },
    ids: idsOf(events),
    retries: [...new Set(retries)],
    compression: compressionSeen(first, browser),
    secondClient: secondClient(first, second, browser),
    ...(resumed && { lastEventId: resumption(events, resumed.cursor, resumed.asked) }),
    ...(head && { head: answerIn(head) }),
    ...(crossOrigin && {
      crossOrigin: {
        ...answerIn(crossOrigin),
        ...headerAs('allowOrigin', crossOrigin, 'access-control-allow-origin'),
        ...headerAs('allowCredentials', crossOrigin, 'access-control-allow-credentials'),
      },
    }),
    ...(method && { method: { ...answerIn(method), ...headerAs('allow', method, 'allow') } }),
    lanes: [
      laneOf('first', first),
      laneOf('second', second),
      laneOf(browser.head?.headers['content-encoding'] ?? 'browser', browser),
    ],
  }
}

function contentOf({ pieces, head, ended }: Asked): StreamContent {
  return streamContent(pieces, head?.headers['content-type'] ?? '', { hasEnded: !!ended })
}

function eventsSeen(asked: Asked, { events }: StreamContent, watchedMs: number): Report['events'] {
  const { head, pieces, ended, received } = asked
  const arrivals = [head?.at ?? asked.asked, ...pieces.map(({ at }) => at), ended?.at ?? watchedMs]
  const silences = arrivals.slice(1).map((at, n) => at - arrivals[n]!)
  return {
    count: events.length,
    bytes: received,
    ...(head && events[0] && { afterHeadMs: events[0].at - head.at }),
    ...intervalOf(events.map(({ at }) => at)),
    longestSilenceMs: Math.max(...silences),
    ...(ended && { ended: ended.how }),
  }
}

function intervalOf(times: number[]): { intervalMs?: number } {
  const gaps = times.slice(1).map((at, n) => at - times[n]!)
  return gaps.length > 0 ? { intervalMs: median(gaps) } : {}
}

function idsOf(events: StreamEvent[]): Report['ids'] {
  const ids = events.flatMap(({ id }) => id ?? [])
  const numbers = ids.map((id) => (/^\d{1,15}$/.test(id) ? Number(id) : NaN))
  const isNumeric = numbers.length > 1 && numbers.every((number) => !Number.isNaN(number))
  return {
    count: ids.length,
    different: new Set(ids).size,
    ...(isNumeric && {
      isAscending: numbers.every((number, n) => n === 0 || number > numbers[n - 1]!),
    }),
  }
}

/** Compares the arrivals with and without compression, on two connections to the same address. */
function compressionSeen(plain: Asked, browser: Asked): Report['compression'] {
  const coding = browser.head?.headers['content-encoding']
  const [all, compressed] = [contentOf(plain).events, contentOf(browser).events]
  const own = ownStreams(all, compressed, browser.asked - plain.asked)
  const shift = own?.shiftMs ?? 0
  const limitMs = IN_TIME_MS + (own?.jitterMs ?? 0)
  const matched = matchEvents(
    all.filter(({ at }) => own || at > browser.asked),
    compressed,
  )
  const pairs = matched.by === 'order' && compressed.length > 0 ? [] : matched.pairs
  const delays = pairs.flatMap(({ written, arrived }) =>
    arrived ? arrived.at - written.at - shift : [],
  )
  const problem = streamProblem(browser)
  return {
    asked: acceptedCodings(),
    ...(coding && { coding }),
    bytes: browser.received,
    decodedBytes: browser.pieces.reduce((sum, { bytes }) => sum + bytes.length, 0),
    of: pairs.length,
    inTime: delays.filter((delay) => delay <= limitMs).length,
    limitMs,
    ...(delays.length > 0 && {
      delays: { least: Math.min(...delays), median: median(delays), most: Math.max(...delays) },
    }),
    ...(problem && { problem }),
  }
}

function secondClient(first: Asked, second: Asked, browser: Asked): Report['secondClient'] {
  const problem = streamProblem(second)
  const firstEvents = contentOf(first).events
  const secondEvents = contentOf(second).events
  const connected = second.head?.at ?? second.asked
  const isOwn = ownStreams(firstEvents, secondEvents, second.asked - first.asked) !== undefined
  const later = isOwn ? firstEvents : firstEvents.filter(({ at }) => at > connected)
  const { by, pairs } = matchEvents(later, secondEvents)
  const both = by === 'order' ? [] : pairs.filter(({ arrived }) => arrived)
  const earlier = isOwn ? [] : firstEvents.filter(({ at }) => at < second.asked)
  const repeated = matchEvents(earlier, secondEvents)
  const history = repeated.by === 'order' ? [] : repeated.pairs.filter(({ arrived }) => arrived)
  const withIds = both.filter(({ written }) => written.id !== undefined)
  const isSame = withIds.every(({ written, arrived }) => written.id === arrived!.id)
  const counts = {
    both: both.length,
    of: later.length,
    history: history.length,
    isOwnStream: isOwn,
    ...(withIds.length > 0 && { ids: isSame ? ('the same' as const) : ('different' as const) }),
  }
  if (problem) return { outcome: 'the second refused', ...counts, problem }
  const afterMs = (first.ended?.at ?? Infinity) - second.asked
  // A short answer ends by itself, and takes about as long for the second client.
  const isCut = afterMs >= 0 && afterMs < AT_ONCE_MS && !(second.ended && browser.ended)
  if (isCut) return { outcome: 'the first cut', ...counts, afterMs }
  const clients = [first, second, browser].map((asked) => contentOf(asked).events)
  if (by === 'order' && isDealtOut(clients)) return { outcome: 'dealt out', ...counts }
  const isServed = secondEvents.length > 0 || later.length === 0
  return { outcome: isServed && second.head ? 'both served' : 'unclear', ...counts }
}

/** Says what a server did with a cursor, by the first event that it sent afterwards. */
export function resumption(
  seen: StreamEvent[],
  cursor: string,
  asked: Asked,
): NonNullable<Report['lastEventId']> {
  const place = seen.findLastIndex(({ id }) => id === cursor)
  const next = seen.slice(place + 1).find(({ id }) => id !== undefined)?.id
  const problem = streamProblem(asked)
  const got = contentOf(asked).events[0]
  const known = {
    cursor,
    ...(next !== undefined && { next }),
    ...(got?.id !== undefined && { got: got.id }),
  }
  if (problem) return { ...known, outcome: 'refuses', problem }
  if (!got) return { ...known, outcome: 'silent' }
  if (next !== undefined && got.id === next) return { ...known, outcome: 'replays' }
  const isFirst = (got.id ?? got.text) === (seen[0]!.id ?? seen[0]!.text)
  if (isFirst && place > 0) return { ...known, outcome: 'starts over' }
  if (got.id === cursor) return { ...known, outcome: 'repeats' }
  const isOld = seen.some(({ id }) => id !== undefined && id === got.id)
  return { ...known, outcome: isOld ? 'skips' : 'ignores' }
}

function answerIn({ head, problem, asked }: Asked): Answer {
  return {
    ...(head && { status: head.status, text: head.text, ms: head.at - asked }),
    ...(problem && { problem }),
  }
}

function headerAs<Name extends string>(
  name: Name,
  { head }: Asked,
  header: string,
): { [Key in Name]?: string } {
  const value = head?.headers[header]
  return (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: string }
}

function laneOf(who: string, asked: Asked): Report['lanes'][number] {
  const { events, heartbeats } = contentOf(asked)
  return {
    who,
    ...(asked.head && { head: asked.head.at }),
    events: events.map(({ at }) => at),
    heartbeats,
    ...(asked.ended && { ended: asked.ended.at }),
  }
}

const IN_TIME_MS = 25
const AT_ONCE_MS = 1000
