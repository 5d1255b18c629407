import { connect } from 'node:tls'
import type { HopsArgs } from './args.ts'
import { ask, type Asked, type Asking } from './ask.ts'
import { STREAM_HEADERS } from './compare-addresses.ts'
import { acceptedCodings } from './decode.ts'
import { report, type Probes, type Report } from './report.ts'
import { streamContent } from './stream-events.ts'
import { until } from './until.ts'

export type ReportOptions = Omit<HopsArgs, 'public' | 'isJson' | 'isPage'> & {
  /** Ends the watch early. The result so far is still returned. */
  signal?: AbortSignal
}

/** Watches one address with several clients, asks it a few more questions, and reports everything that was seen. */
export async function reportOn(options: ReportOptions): Promise<Report> {
  const { direct: url, watch, signal } = options
  const began = performance.now()
  const now = (): number => performance.now() - began
  const start = (headers: Record<string, string> = {}, method = 'GET'): Asking =>
    ask(url, {
      ...options,
      method,
      headers: { ...STREAM_HEADERS, ...options.headers, ...headers },
      now,
    })

  const first = start()
  // The second client asks when the first one is being served.
  await until(() => first.asked.pieces.length > 0 || isOver(first.asked), {
    ms: Math.min(SETTLE_MS, watch.ms),
    signal,
  })
  const second = start()
  await until(() => second.asked.pieces.length > 0 || isOver(second.asked), {
    ms: SECOND_MS,
    signal,
  })
  const browser = start({ 'Accept-Encoding': acceptedCodings() })
  const clients = [first, second, browser]
  await until(
    () =>
      clients.every(({ asked }) => isOver(asked)) ||
      (now() - second.asked.asked > LEAST_MS &&
        contentOf(first.asked).events.length >= watch.events) ||
      first.asked.received > MOST_BYTES,
    { ms: Math.max(0, watch.ms - now()), signal },
  )
  // Give the other clients time to get the last event.
  await until(() => isOver(first.asked) && clients.every(({ asked }) => isOver(asked)), {
    ms: GRACE_MS,
    signal,
  })
  const watchedMs = now()
  const probes: Probes = {
    first: first.asked,
    second: second.asked,
    browser: browser.asked,
    watchedMs,
    waitedMs: ANSWER_MS,
  }
  for (const { stop } of clients) stop()
  if (signal?.aborted || !first.asked.head) return report(probes)

  const cursor = cursorOf(first.asked)
  const [resumed, head, crossOrigin, method, protocol] = await Promise.all([
    cursor === undefined
      ? undefined
      : answerTo(start({ 'Last-Event-ID': cursor.id }), (asked) => {
          return contentOf(asked).events.length > cursor.missed
        }),
    answerTo(start({}, 'HEAD'), ({ head: seen }) => seen !== undefined),
    answerTo(start({ Origin: ORIGIN }), ({ head: seen }) => seen !== undefined),
    answerTo(start({}, METHOD), ({ head: seen }) => seen !== undefined),
    url.protocol === 'https:' ? protocolOf(new URL(first.asked.url), options) : undefined,
  ])
  return report({
    ...probes,
    ...(cursor && resumed && { resumed: { cursor: cursor.id, asked: resumed } }),
    head,
    crossOrigin,
    method,
    ...(protocol !== undefined && { protocol }),
  })

  async function answerTo(
    asking: Asking,
    hasSeenEnough: (asked: Asked) => boolean,
  ): Promise<Asked> {
    const ms = ANSWER_MS
    await until(() => hasSeenEnough(asking.asked) || isOver(asking.asked), { ms, signal })
    asking.stop()
    return asking.asked
  }
}

/**
 * Chooses the id to ask again with. The id of the last event would leave nothing to replay, so two events come after it, if
 * there are as many.
 */
function cursorOf(asked: Asked): { id: string; missed: number } | undefined {
  const withIds = contentOf(asked).events.filter(
    ({ id }) => id !== undefined && /^[!-~]+$/.test(id),
  )
  const missed = Math.min(2, withIds.length - 1)
  const id = withIds.at(-1 - missed)?.id
  return id === undefined ? undefined : { id, missed }
}

/** Returns the protocol that the server chooses if it may choose between HTTP/2 and HTTP/1.1. */
function protocolOf(url: URL, { isInsecure }: ReportOptions): Promise<string | undefined> {
  return new Promise((resolve) => {
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    const socket = connect({
      host,
      port: Number(url.port || 443),
      servername: /^[\d.]+$|:/.test(host) ? '' : host,
      ALPNProtocols: ['h2', 'http/1.1'],
      rejectUnauthorized: !isInsecure,
    })
    socket.setTimeout(ANSWER_MS, () => socket.destroy())
    socket.once('secureConnect', () => {
      resolve(socket.alpnProtocol || 'none')
      socket.destroy()
    })
    socket.once('close', () => resolve(undefined))
    // The 'close' event follows.
    socket.on('error', () => {})
  })
}

function contentOf({ pieces, head, ended }: Asked): ReturnType<typeof streamContent> {
  return streamContent(pieces, head?.headers['content-type'] ?? '', { hasEnded: !!ended })
}

function isOver({ ended, problem }: Asked): boolean {
  return ended !== undefined || problem !== undefined
}

/** An origin that no server can know. */
export const ORIGIN = 'https://elsewhere.example'

/** A method that changes nothing (RFC 4918, section 9.1) and that a stream does not serve. DELETE might delete something. */
export const METHOD = 'PROPFIND'

const SETTLE_MS = 1000
const SECOND_MS = 300
const LEAST_MS = 1000
const GRACE_MS = 300
const ANSWER_MS = 2000
const MOST_BYTES = 5_000_000
