import type { MeasuredVerdict } from '../../protocol/experiment.ts'
import type { Asked } from './ask.ts'
import { causeOf, type Cause } from './cause.ts'
import { acceptedCodings } from './decode.ts'
import { isApart, judge, type HeadEvidence, type Judgement } from './judge.ts'
import { isDealtOut, matchEvents, ownStreams, type Matched, type Pair } from './match-events.ts'
import { recogniseHops, type Recognised } from './recognise.ts'
import {
  alignedContent,
  streamContent,
  type StreamContent,
  type StreamEvent,
} from './stream-events.ts'
import { streamProblem } from './stream-problem.ts'

/** The four requests for one stream: at each address, without compression and as a browser asks. */
export type FourAsked = Record<Way, Asked>

/** The address and the way of asking. `direct` is the reference, with which the other three are compared. */
export type Way = 'direct' | 'directAsBrowser' | 'public' | 'publicAsBrowser'

/** The result of comparing two addresses, which is also the JSON of the command. Times are in milliseconds since the first request. */
export type Comparison = {
  watchedMs: number
  /** The milliseconds that the path to the public address may take by itself. */
  pathMs: number
  /** The codings that a request "as a browser" accepts. */
  codings: string
  streams: Record<Way, ComparedStream>
  matchedBy?: Matched['by']
  unit: StreamContent['unit']
  events: ComparedEvent[]
  /** The verdict on the public address, as a browser asks. Absent if there was nothing to judge. */
  verdict?: MeasuredVerdict
  hops: Recognised[]
  cause?: Cause
  /** Everything else that the user should know before trusting the result. */
  notes: string[]
}

export type ComparedStream = {
  url: string
  redirects: Asked['redirects']
  status?: number
  type?: string
  coding?: string
  /** The time from the request to the head. */
  headMs?: number
  events: number
  /** The number of bytes on the wire, possibly compressed. */
  bytes: number
  ended?: 'complete' | 'cut'
  problem?: string
  judgement?: Judgement
}

export type ComparedEvent = {
  id?: string
  text: string
  direct: number
  public?: number
  publicAsBrowser?: number
  /** The delay of the event at the public address, as a browser asks, or else without compression. */
  delay?: number
}

export type CompareWith = {
  until: number
  pathMs: number
  /** The heads of further requests, for the streams whose head may have waited. */
  heads?: Partial<Record<Way, HeadEvidence[]>>
  /** The headers with which the public address answered a HEAD request, because a hop may hold the head of a stream. */
  headers?: Record<string, string>
}

/** Compares four requests for one stream. */
export function compare(
  asked: FourAsked,
  { until, pathMs, heads = {}, headers = {} }: CompareWith,
): Comparison {
  const content = mapWays(contentOf)(asked)
  const reference = asked.direct
  const aligned = mapWays((way: Way) =>
    alignedContent(content.direct, content[way], asked[way].pieces),
  )(WAYS)
  const matches = mapWays(({ events }: StreamContent) =>
    matchEvents(content.direct.events, events),
  )(aligned)
  const problems = mapWays(streamProblem)(asked)

  const own = ownStreams(
    content.direct.events,
    content.directAsBrowser.events,
    asked.directAsBrowser.asked - reference.asked,
  )
  const isDealt = isDealtOut(Object.values(content).map(({ events }) => events))
  const shifts = mapWays((way: Way) =>
    own ? shiftOf(reference, asked[way], matches[way].pairs) : 0,
  )(WAYS)

  const judgementOf = (way: Way): Judgement | undefined => {
    const { ended } = asked[way]
    if (!reference.head || isDealt || problems.direct || problems[way] || way === 'direct')
      return undefined
    const pairs = matches[way].pairs
    const certain = pairs.filter(({ isAmbiguous }) => !isAmbiguous)
    return judge({
      heads: heads[way] ?? [],
      events: (certain.length > 0 ? certain : pairs).map(({ written, arrived }) => ({
        written: written.at + shifts[way],
        arrived: arrived?.at,
      })),
      writes: reference.pieces.map(({ at }) => at + shifts[way]),
      splits: aligned[way].splits,
      ended: earliest(ended?.at, reference.ended?.at),
      until,
      pathMs: way === 'directAsBrowser' ? 0 : pathMs,
      jitterMs: own?.jitterMs ?? 0,
    })
  }
  const judgements: Record<Way, Judgement | undefined> = {
    direct: undefined,
    directAsBrowser: judgementOf('directAsBrowser'),
    public: judgementOf('public'),
    publicAsBrowser: judgementOf('publicAsBrowser'),
  }
  const streams = mapWays((way: Way): ComparedStream => {
    const { requested, redirects, head, received, ended } = asked[way]
    return {
      url: requested,
      redirects,
      ...(head && {
        status: head.status,
        ...definedOnly({
          type: head.headers['content-type'],
          coding: head.headers['content-encoding'],
        }),
        headMs: head.at - asked[way].asked,
      }),
      events: content[way].events.length,
      bytes: received,
      ...(ended && { ended: ended.how }),
      ...definedOnly({ problem: problems[way], judgement: judgements[way] }),
    }
  })(WAYS)
  const shown = judgements.publicAsBrowser ? matches.publicAsBrowser : matches.public
  const main = judgements.publicAsBrowser ?? judgements.public
  const shift = shifts[judgements.publicAsBrowser ? 'publicAsBrowser' : 'public']
  const directHeaders = reference.head?.headers ?? {}
  const publicHead = asked.publicAsBrowser.head ?? asked.public.head
  const hops = recogniseHops(publicHead?.headers ?? headers, directHeaders)
  const plain = arrivalsOf(matches.public)
  const asBrowser = arrivalsOf(matches.publicAsBrowser)
  const events = shown.pairs.map(({ written, arrived }): ComparedEvent => ({
    ...definedOnly({ id: written.id }),
    text: written.text.slice(0, 200),
    direct: written.at,
    ...definedOnly({ public: plain.get(written), publicAsBrowser: asBrowser.get(written) }),
    ...(arrived && { delay: arrived.at - written.at - shift }),
  }))
  return {
    watchedMs: until,
    pathMs,
    codings: acceptedCodings(),
    streams,
    unit: content.direct.unit,
    ...(shown.pairs.some(({ arrived }) => arrived) && { matchedBy: shown.by }),
    ...(main && { verdict: main.verdict }),
    events,
    hops,
    ...(main && {
      cause: causeOf({
        directAsBrowser: judgements.directAsBrowser?.verdict,
        publicPlain: judgements.public?.verdict,
        publicAsBrowser: judgements.publicAsBrowser?.verdict,
        directCoding: streams.directAsBrowser.coding,
        publicCoding: streams.publicAsBrowser.coding,
        hops,
        path: new URL(reference.url).pathname,
        saysUnbuffered: /^no$/i.test(directHeaders['x-accel-buffering'] ?? ''),
        saysNoTransform: /\bno-transform\b/i.test(directHeaders['cache-control'] ?? ''),
      }),
    }),
    notes: notesOn({
      asked,
      content,
      shown,
      isDealt,
      others: content[judgements.publicAsBrowser ? 'publicAsBrowser' : 'public'].events,
      hasVerdict: !!main,
      ...(own && { shift }),
    }),
  }
}

function contentOf({ pieces, head, ended }: Asked): StreamContent {
  return streamContent(pieces, head?.headers['content-type'] ?? '', { hasEnded: !!ended })
}

function notesOn({
  asked,
  content,
  shown,
  others,
  isDealt,
  hasVerdict,
  shift,
}: {
  asked: FourAsked
  content: Record<Way, StreamContent>
  /** The matched events that are shown, and the events of the same stream. */
  shown: Matched
  others: StreamEvent[]
  isDealt: boolean
  hasVerdict: boolean
  /** How much later the stream at the public address began, if each client gets a stream of its own. */
  shift?: number
}): string[] {
  const { direct } = content
  const plural = (n: number): string => `${n} ${n === 1 ? direct.unit : `${direct.unit}s`}`
  const notes: string[] = []
  if (isDealt) {
    return [
      'Each event arrived at only one client, so the server seems to deal its events out among its clients. Their arrivals cannot be compared.',
    ]
  }
  if (!streamProblem(asked.direct) && direct.events.length === 0) {
    const what = asked.direct.head ? 'sent no events' : 'did not even send a head'
    notes.push(
      `The direct address ${what}, so there is nothing to compare. A longer watch may help, such as 60s.`,
    )
  }
  if (!hasVerdict) return notes
  if (shift !== undefined) {
    notes.push(
      `Each client seems to get a stream of its own, so the ${Math.round(shift)} ms by which the one at the public address began later are not part of the delays.`,
    )
  }
  if (shown.by === 'order' && others.length > 0) {
    notes.push(
      `The two addresses have neither ids nor bytes in common, so each ${direct.unit} was matched with the one in the same place. If the streams began at different events, the delays are wrong.`,
    )
  }
  const ambiguous = shown.pairs.filter(({ isAmbiguous }) => isAmbiguous).length
  if (shown.by !== 'order' && ambiguous > 0) {
    notes.push(
      `${plural(ambiguous)} had the same ${shown.by === 'id' ? 'id' : 'bytes'} as another one, so they may be matched wrongly.`,
    )
  }
  if (shown.earlier.length > 0) {
    notes.push(
      `${plural(shown.earlier.length)} arrived at the direct address before the public one was connected, and did not count.`,
    )
  }
  const lastArrived = shown.pairs.findLastIndex(({ arrived }) => arrived)
  const missing = shown.pairs.slice(0, lastArrived + 1).filter(({ arrived }) => !arrived).length
  if (missing > 0)
    notes.push(`${plural(missing)} did not arrive at the public address, although later ones did.`)
  if (shown.by !== 'order' && shown.extra.length > 0) {
    notes.push(`${plural(shown.extra.length)} arrived only at the public address.`)
  }
  const times = new Set(direct.events.map(({ at }) => Math.round(at / 10)))
  if (direct.events.length > 2 && times.size === 1) {
    notes.push(
      `At the direct address itself, all ${plural(direct.events.length)} arrived together, so the app may collect them before it sends them.`,
    )
  }
  const accel = asked.direct.head?.headers['x-accel-buffering']
  if (/^no$/i.test(accel ?? '') && asked.public.head?.headers['x-accel-buffering'] === undefined) {
    notes.push('The app sends X-Accel-Buffering: no, and a hop removes it, as nginx does.')
  }
  return notes
}

/**
 * Returns how much later a stream of its own began for a client: the time by which it asked later, and the delay that its
 * head and its fastest event have in common.
 */
function shiftOf(reference: Asked, other: Asked, pairs: Pair[]): number {
  const laterMs = other.asked - reference.asked
  const delays = pairs.flatMap(({ written, arrived }) => (arrived ? arrived.at - written.at : []))
  if (!other.head || !reference.head || delays.length === 0) return laterMs
  // A head that waits for the first event says nothing about when the stream began.
  if (isApart(headTimes(reference)) && !isApart(headTimes(other))) return laterMs
  return Math.max(laterMs, Math.min(other.head.at - reference.head.at, ...delays))
}

/** Returns the arrivals of two heads, if the one at the reference has arrived. */
export function headEvidence({ head, pieces }: Asked, judged: Asked): HeadEvidence | undefined {
  if (!head) return undefined
  return {
    reference: { head: head.at, firstByte: pieces[0]?.at },
    judged: headTimes(judged),
  }
}

function headTimes({ head, pieces }: Asked): HeadEvidence['judged'] {
  return { head: head?.at, firstByte: pieces[0]?.at }
}

/** Returns when each event of the reference arrived at the other address. */
function arrivalsOf({ pairs }: Matched): Map<StreamEvent, number | undefined> {
  return new Map(pairs.map(({ written, arrived }) => [written, arrived?.at]))
}

const WAYS: Record<Way, Way> = {
  direct: 'direct',
  directAsBrowser: 'directAsBrowser',
  public: 'public',
  publicAsBrowser: 'publicAsBrowser',
}

/** Returns a function that converts each of four values. */
function mapWays<From, To>(
  convert: (from: From) => To,
): (all: Record<Way, From>) => Record<Way, To> {
  return (all) => ({
    direct: convert(all.direct),
    directAsBrowser: convert(all.directAsBrowser),
    public: convert(all.public),
    publicAsBrowser: convert(all.publicAsBrowser),
  })
}

function earliest(...times: (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined)
  return known.length > 0 ? Math.min(...known) : undefined
}

/** Leaves out the values that are undefined. */
function definedOnly<T extends object>(
  values: T,
): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>
  }
}
