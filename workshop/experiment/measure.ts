import { randomBytes } from 'node:crypto'
import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import compression from 'compression'
import express, { type Express, type Response } from 'express'
import { look } from '../parts/look.ts'
import type { Part } from '../parts/part.ts'
import type { RunningProxy } from '../proxies/real.ts'
import type { Row, Source } from './rows.ts'
import type { MeasuredVerdict } from './verdict.ts'

/** What became of a stream on its way. Times are milliseconds since the head was written. */
export type Measurement = {
  row: Row
  /** Of the program that stood between. */
  version?: string
  /** When the head was at the client. */
  head: number
  /** When each event was written, and when all of it was at the client. */
  events: { written: number; arrived: number }[]
  verdict: MeasuredVerdict
  /** When the server was told that a client had left, while the stream was silent. */
  told: 'at once' | 'at the next write' | 'never'
}

/** There was nothing to measure: `there is no nginx`. */
export type NotMeasured = { row: Row; why: string }

const EVENTS = 24
const EVERY_MS = 50

/** Writes events at an even pace, and looks when they come out at the other end. */
export async function measure(row: Row): Promise<Measurement | NotMeasured> {
  const seen = row.part && look(row.part)
  if (seen && 'problem' in seen) return { row, why: missing(row.part!, seen.problem) }
  try {
    return { ...(await measured(row)), ...(seen?.version && { version: seen.version }) }
  } catch (error) {
    return { row, why: (error as Error).message.split('\n')[0]! }
  }
}

/** `there is no nginx`; one that is broken says so itself. */
function missing({ name }: Part, problem: string): string {
  return problem.startsWith('missing') ? `there is no ${name}` : `${name} is ${problem}`
}

async function measured(row: Row): Promise<Measurement> {
  const source = sourceOf(row.source)
  const server = createServer(source.app)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  let proxy: RunningProxy | undefined
  try {
    proxy = await row.start?.(port)
    const through = proxy?.port ?? port
    const { head, arrived } = await arrivals(through, row.source)
    const began = source.written[0]!
    const events = source.written
      .slice(1)
      .map((written, n) => ({ written: written - began, arrived: arrived[n]! - began }))
    return {
      row,
      head: head - began,
      events,
      verdict: verdictOf(head - began, events),
      told: await whenTold(through, source, row.source),
    }
  } finally {
    await proxy?.stop()
    server.closeAllConnections()
    server.close()
  }
}

/** The order tells, not the clock: what is at the client before the next is written did not wait for it. */
function verdictOf(head: number, events: Measurement['events']): MeasuredVerdict {
  const last = events.at(-1)!
  if (events[0]!.arrived >= last.written) return 'holds'
  const late = events.filter(({ arrived }, n) => arrived >= (events[n + 1]?.written ?? Infinity))
  // A machine that is busy now and then makes no lumps.
  if (late.length > events.length / 2) return 'late'
  return head < events[0]!.written ? 'passes' : 'head waits'
}

type MeasuredSource = {
  app: Express
  /** When the head and then each event was written. */
  written: number[]
  /** The response to whoever asked for silence. */
  silent: Promise<Response>
}

function sourceOf({ headers, compresses, flushes, size = 64 }: Source): MeasuredSource {
  const app = express()
  const written: number[] = []
  let begin = (_response: Response): void => {}
  const silent = new Promise<Response>((resolve) => {
    begin = resolve
  })
  const startHead = (response: Response): void => {
    response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', ...headers })
    response.flushHeaders()
  }
  if (compresses) app.use(compression())
  app.get('/events', async (_request, response) => {
    startHead(response)
    written.push(performance.now())
    // Long enough for a head that comes alone to be seen, also on a busy machine.
    await sleep(3 * EVERY_MS)
    for (let n = 0; n < EVENTS; n += 1) {
      await sleep(EVERY_MS)
      written.push(performance.now())
      response.write(eventText(n, size))
      if (flushes) response.flush()
    }
    await sleep(EVERY_MS)
    response.end()
  })
  app.get('/silent', (_request, response) => {
    startHead(response)
    response.write(eventText(0, size))
    begin(response)
  })
  return { app, written, silent }
}

/** Of so many bytes, which no compressor makes much smaller than half. */
function eventText(n: number, size: number): string {
  const data = `data: ${n} `
  const filling = randomBytes(size).toString('hex')
  return `${data}${filling.slice(0, size - data.length - 2)}\n\n`
}

async function arrivals(
  port: number,
  source: Source,
): Promise<{ head: number; arrived: number[] }> {
  const response = await ask(port, '/events', source)
  const head = performance.now()
  const arrived: number[] = []
  let text = ''
  const isZipped = response.headers['content-encoding'] === 'gzip'
  const body: Readable = isZipped ? response.pipe(createGunzip()) : response
  for await (const bytes of body) {
    text += String(bytes)
    const events = text.split('\n\n')
    text = events.pop()!
    arrived.push(...events.map(() => performance.now()))
  }
  return { head, arrived }
}

async function whenTold(
  port: number,
  { silent }: MeasuredSource,
  source: Source,
): Promise<Measurement['told']> {
  const leave = new AbortController()
  // It is aborted, head or no head.
  void ask(port, '/silent', source, leave.signal).then(
    (answer) => answer.on('error', () => {}).resume(),
    () => {},
  )
  const response = await silent
  let isTold = false
  response.on('close', () => (isTold = true))
  await sleep(EVERY_MS)
  leave.abort()
  await sleep(6 * EVERY_MS)
  if (isTold) return 'at once'
  for (let n = 0; n < 8 && !isTold; n += 1) {
    response.write(eventText(n, 64))
    if (source.flushes) response.flush()
    await sleep(EVERY_MS)
  }
  return isTold ? 'at the next write' : 'never'
}

function ask(
  port: number,
  path: string,
  { takesGzip }: Source,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = get({
      host: '127.0.0.1',
      port,
      path,
      agent: false,
      headers: takesGzip ? { 'Accept-Encoding': 'gzip' } : {},
      ...(signal && { signal }),
    })
    request.once('response', resolve)
    request.on('error', reject)
  })
}
