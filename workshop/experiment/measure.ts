import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import compression from 'compression'
import express, { type Express, type Response } from 'express'
import type { Probe } from '../tools/external-tool.ts'
import type { RunningProxy } from '../proxies/proxy-process.ts'
import { browserClient } from './browser-client.ts'
import { nodeClient, type MeasuringClient } from './node-client.ts'
import type { Result, Row, Source } from './rows.ts'
import type { Measured, MeasuredVerdict } from '../../protocol/experiment.ts'

const EVENTS = 24

/** The default interval between two events. */
export const EVERY_MS = 50

/**
 * Measures a setup: writes events at regular intervals, and records when they arrive at the client.
 *
 * @param options.seen whether the row's tool is installed, and its version
 * @param options.everyMs the interval between two events
 */
export async function measure(
  row: Row,
  { seen, everyMs }: { seen: Probe | undefined; everyMs: number },
): Promise<Result> {
  if (seen && 'problem' in seen) return { row, why: missing(row.tool!.name, seen.problem) }
  try {
    return { ...(await measured(row, everyMs)), ...(seen?.version && { version: seen.version }) }
  } catch (error) {
    return { row, why: (error as Error).message.split('\n')[0]! }
  }
}

/** Returns `there is no nginx`, or the problem of a tool that is broken. */
function missing(name: string, problem: string): string {
  return problem.startsWith('missing') ? `there is no ${name}` : `${name} is ${problem}`
}

async function measured(row: Row, everyMs: number): Promise<Measured & { row: Row }> {
  const source = sourceOf(row.source, everyMs)
  const server = createServer(source.app)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  let proxy: RunningProxy | undefined
  try {
    proxy = await row.start?.(port)
    const url = `http://127.0.0.1:${proxy?.port ?? port}`
    const client = row.browserApi ? browserClient(row.browserApi) : nodeClient(row.source)
    const { head, arrived } = await client.read(`${url}/events`)
    const began = source.written[0]!
    const events = source.written
      .slice(1)
      .map((written, n) => ({ written: written - began, arrived: arrived[n]! - began }))
    return {
      row,
      head: head - began,
      events,
      verdict: verdictOf(head - began, { events, ended: source.ended! - began }),
      ...(await whenTold(client, `${url}/silent`, source, row.source)),
    }
  } finally {
    await proxy?.stop()
    server.closeAllConnections()
    server.close()
  }
}

/**
 * Judges by order and not by duration, because an event that arrives before the next event is written did not wait for
 * that event.
 */
function verdictOf(
  head: number,
  { events, ended }: { events: Measured['events']; ended: number },
): MeasuredVerdict {
  const [last, alone] = [events.at(-2)!, events.at(-1)!]
  if (events[0]!.arrived >= last.written) return 'holds'
  const late = events.filter(({ arrived }, n) => arrived >= (events[n + 1]?.written ?? Infinity))
  // A busy machine delays only some events, so more than half must be late. A long pause follows each of the last two.
  if (late.length > events.length / 2) {
    return last.arrived < alone.written && alone.arrived < ended ? 'late' : 'behind'
  }
  return head < events[0]!.written ? 'passes' : 'head waits'
}

type MeasuredSource = {
  app: Express
  /** The times when the head and each event were written. */
  written: number[]
  /** The time when the response was ended. */
  ended?: number
  /** Resolves with the response to the next request for `/silent`. */
  nextSilent(): Promise<Response>
}

function sourceOf(
  { headers, compresses, flushes, size = 64 }: Source,
  everyMs: number,
): MeasuredSource {
  const app = express()
  const written: number[] = []
  const source: MeasuredSource = {
    app,
    written,
    nextSilent: () =>
      new Promise((resolve) => {
        begin = resolve
      }),
  }
  let begin = (_response: Response): void => {}
  const startHead = (response: Response): void => {
    response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', ...headers })
    response.flushHeaders()
  }
  if (compresses) app.use(compression())
  // An empty page, for scripts that fetch the stream.
  app.get('/', (_request, response) => void response.type('html').end())
  app.get('/events', async (_request, response) => {
    startHead(response)
    written.push(performance.now())
    // Pause for so long that a head that is sent separately arrives first, even on a busy machine.
    await sleep(6 * everyMs)
    // The pause is longer than any proxy waits for more events.
    const pause = Math.max(SILENCE_MS, everyMs)
    for (let n = 0; n < EVENTS; n += 1) {
      // Write the last event after a pause, because the event before it may have completed a group of events.
      await sleep(n === EVENTS - 1 ? pause : everyMs)
      written.push(performance.now())
      response.write(eventText(n, size))
      if (flushes) response.flush()
    }
    await sleep(pause)
    source.ended = performance.now()
    response.end()
  })
  app.get('/silent', (_request, response) => {
    startHead(response)
    response.write(eventText(0, size))
    begin(response)
  })
  return source
}

/** Returns an event of `size` bytes, with random hexadecimal digits, which compress to about half their size at best. */
function eventText(n: number, size: number): string {
  const data = `data: ${n} `
  const filling = randomBytes(size).toString('hex')
  return `${data}${filling.slice(0, size - data.length - 2)}\n\n`
}

/**
 * Returns the highest of three clients' counts, because a proxy may notice a disconnect immediately or one write
 * later.
 */
async function whenTold(
  client: MeasuringClient,
  url: string,
  source: MeasuredSource,
  { flushes = false }: Source,
): Promise<Pick<Measured, 'writesUntilTold'>> {
  let most = 0
  for (let clients = 0; clients < 3; clients += 1) {
    const begun = source.nextSilent()
    const leave = client.visit(url)
    const writes = await countWrites(await begun, { leave, flushes })
    if (writes === undefined) return {}
    // The server learned of the disconnect without any write, so do not try the other clients.
    if (writes === 0) return { writesUntilTold: 0 }
    most = Math.max(most, writes)
  }
  return { writesUntilTold: most }
}

/** Counts the writes until the server notices the disconnect. Returns undefined if eight writes are not enough. */
async function countWrites(
  response: Response,
  { leave, flushes }: { leave(): Promise<void>; flushes: boolean },
): Promise<number | undefined> {
  let isTold = false
  response.on('close', () => (isTold = true))
  // After this pause, everything that was written has been sent, even by a program that waits for more bytes.
  await sleep(SILENCE_MS)
  await leave()
  await sleep(SILENCE_MS)
  for (let writes = 0; writes <= 8; writes += 1) {
    if (isTold) return writes
    response.write(eventText(writes, 64))
    if (flushes) response.flush()
    await sleep(SILENCE_MS)
  }
  return undefined
}

/** A pause that is longer than the 200 milliseconds for which Linux delays a partial packet. */
const SILENCE_MS = 400
