import { ask, type Asked, type Asking } from './ask.ts'
import type { HopsArgs } from './args.ts'
import { compare, headEvidence, type Comparison, type FourAsked, type Way } from './comparison.ts'
import { acceptedCodings } from './decode.ts'
import { isHeadHeld, type HeadEvidence } from './judge.ts'
import { streamContent } from './stream-events.ts'
import { until } from './until.ts'

/** Everything that is needed to ask two addresses. */
export type CompareOptions = Omit<HopsArgs, 'public' | 'isJson' | 'isPage'> & {
  public: URL
  /** Ends the watch early. The result so far is still returned. */
  signal?: AbortSignal
}

/** Asks two addresses for the same stream, each without compression and as a browser asks, and compares the arrivals. */
export async function compareAddresses(options: CompareOptions): Promise<Comparison> {
  const { direct, watch, signal } = options
  const began = performance.now()
  const now = (): number => performance.now() - began
  const pair = { direct: begin('direct', now), public: begin('public', now) }
  // If the events of the second pair are late by this pause, each client gets a stream of its own.
  await until(() => isOver(pair.direct.asked), { ms: LATER_MS, signal })
  const askings: Record<Way, Asking> = {
    ...pair,
    directAsBrowser: begin('directAsBrowser', now),
    publicAsBrowser: begin('publicAsBrowser', now),
  }
  const all = Object.values(askings)
  const asked: FourAsked = {
    direct: askings.direct.asked,
    public: askings.public.asked,
    directAsBrowser: askings.directAsBrowser.asked,
    publicAsBrowser: askings.publicAsBrowser.asked,
  }
  const hasSeenEnough = (): boolean =>
    isOver(asked.direct) || (now() > LEAST_MS && eventsIn(asked.direct) >= watch.events)
  const isTooMuch = (): boolean => all.some(({ asked: { received } }) => received > MOST_BYTES)

  await until(() => hasSeenEnough() || isTooMuch(), { ms: Math.max(0, watch.ms - now()), signal })
  const seen = eventsIn(asked.direct)
  const hasCaughtUp = (one: Asked): boolean => isOver(one) || eventsIn(one) >= seen
  // A hop that waits for a timer passes on the last event only after it.
  await until(() => Object.values(asked).every(hasCaughtUp), {
    ms: Math.min(GRACE_MS, Math.max(0, watch.ms - now())),
    signal,
  })
  const watchedUntil = now()
  for (const { stop } of all) stop()
  const measured = { until: watchedUntil, ...(await pathBetween(options, asked)) }
  const first = compare(asked, measured)
  // The head of a stream whose events are late anyway is not worth more requests.
  const suspects = WAYS.filter(
    (way) => first.streams[way].judgement?.verdict === 'passes' && hasHeadWithBody(asked[way]),
  )
  if (suspects.length === 0) return first
  const heads = await warmHeads(suspects, begin, options)
  return compare(asked, { ...measured, heads })

  function begin(way: Way, clock: () => number): Asking {
    const isBrowser = way === 'directAsBrowser' || way === 'publicAsBrowser'
    return ask(way.startsWith('direct') ? direct : options.public, {
      ...options,
      headers: {
        ...STREAM_HEADERS,
        ...(isBrowser && { 'Accept-Encoding': acceptedCodings() }),
        ...options.headers,
      },
      now: clock,
    })
  }
}

/** Asks again for the streams whose heads arrived together with the first byte, because that may have been chance. */
async function warmHeads(
  suspects: Way[],
  begin: (way: Way, clock: () => number) => Asking,
  { signal }: CompareOptions,
): Promise<Partial<Record<Way, HeadEvidence[]>>> {
  const heads: Partial<Record<Way, HeadEvidence[]>> = {}
  for (let tries = 0; tries < 5 && suspects.length > 0 && !signal?.aborted; tries += 1) {
    const now = (): number => performance.now()
    const reference = begin('direct', now)
    const others = suspects.map((way) => ({ way, ...begin(way, now) }))
    const all = [reference, ...others]
    await until(() => all.every(({ asked }) => asked.pieces.length > 0 || isOver(asked)), {
      ms: HEAD_MS,
      signal,
    })
    for (const { stop } of all) stop()
    for (const { way, asked } of others) {
      const seen = headEvidence(reference.asked, asked)
      if (seen) heads[way] = [...(heads[way] ?? []), seen]
    }
    // Two heads that waited for seconds are evidence enough.
    if (tries > 0 && suspects.every((way) => isHeadHeld(heads[way] ?? [], LONG_MS))) break
  }
  return heads
}

/**
 * Measures for how long an event may be on its way without any delay: the round trip to the next hop, or the time by which a
 * HEAD request takes longer than at the direct address. No hop holds a response without a body.
 */
async function pathBetween(
  options: CompareOptions,
  asked: FourAsked,
): Promise<{ pathMs: number; headers?: Record<string, string> }> {
  const pathMs = Math.max(0, (asked.public.connectMs ?? 0) - (asked.direct.connectMs ?? 0))
  if (options.signal?.aborted || asked.public.problem) return { pathMs }
  const direct = await fastestHead(options.direct, options)
  const away = await fastestHead(options.public, options)
  if (!away) return { pathMs }
  const headMs = direct ? away.ms - direct.ms : 0
  return { pathMs: Math.max(pathMs, Math.min(headMs, MOST_PATH_MS)), headers: away.headers }
}

async function fastestHead(
  url: URL,
  options: CompareOptions,
): Promise<{ ms: number; headers: Record<string, string> } | undefined> {
  let fastest: { ms: number; headers: Record<string, string> } | undefined
  for (let tries = 0; tries < 2; tries += 1) {
    const now = (): number => performance.now()
    const headers = { ...STREAM_HEADERS, ...options.headers }
    const { asked, stop } = ask(url, { ...options, method: 'HEAD', headers, now })
    await until(() => asked.head !== undefined || asked.problem !== undefined, {
      ms: HEAD_MS,
      signal: options.signal,
    })
    stop()
    if (!asked.head || asked.connected === undefined) return undefined
    const ms = asked.head.at - asked.connected
    if (!fastest || ms < fastest.ms) fastest = { ms, headers: asked.head.headers }
  }
  return fastest
}

function hasHeadWithBody({ head, pieces }: Asked): boolean {
  return pieces.length > 0 && pieces[0]!.at - head!.at < SUSPECT_MS
}

function isOver({ ended, problem }: Asked): boolean {
  return ended !== undefined || problem !== undefined
}

function eventsIn({ pieces, head, ended }: Asked): number {
  const type = head?.headers['content-type'] ?? ''
  return streamContent(pieces, type, { hasEnded: ended !== undefined }).events.length
}

const WAYS: Way[] = ['directAsBrowser', 'public', 'publicAsBrowser']

/** The headers with which a browser asks for a stream. Other types are welcome as well. */
export const STREAM_HEADERS = {
  Accept: 'text/event-stream, application/x-ndjson;q=0.9, */*;q=0.8',
  'Cache-Control': 'no-cache',
}

const LATER_MS = 150

/** The first events may be a history that arrives in one piece, which says nothing about delays. */
const LEAST_MS = 1000

/** Longer than the timer of any hop that lesson 4 measured. */
const GRACE_MS = 1000

/** If a head arrives so shortly before the first byte, the two may have arrived together. */
const SUSPECT_MS = 30
const LONG_MS = 300
const HEAD_MS = 1500
const MOST_PATH_MS = 500
const MOST_BYTES = 5_000_000
