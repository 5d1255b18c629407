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

/** The pace of the events, when nobody says another one. */
export const EVERY_MS = 50

/**
 * Writes events at an even pace, and looks when they come out at the other end.
 *
 * @param options.seen what there is of the row's tool
 * @param options.everyMs how long from one event to the next
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

/** `there is no nginx`; one that is broken says so itself. */
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
      verdict: verdictOf(head - began, events),
      told: await whenTold(client, `${url}/silent`, source, row.source),
    }
  } finally {
    await proxy?.stop()
    server.closeAllConnections()
    server.close()
  }
}

/** The order tells, not the clock: what is at the client before the next is written did not wait for it. */
function verdictOf(head: number, events: Measured['events']): MeasuredVerdict {
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

function sourceOf(
  { headers, compresses, flushes, size = 64 }: Source,
  everyMs: number,
): MeasuredSource {
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
  // For a page whose script asks for the rest.
  app.get('/', (_request, response) => void response.type('html').end())
  app.get('/events', async (_request, response) => {
    startHead(response)
    written.push(performance.now())
    // Long enough for a head that comes alone to be seen, also on a busy machine.
    await sleep(6 * everyMs)
    for (let n = 0; n < EVENTS; n += 1) {
      await sleep(everyMs)
      written.push(performance.now())
      response.write(eventText(n, size))
      if (flushes) response.flush()
    }
    await sleep(everyMs)
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

async function whenTold(
  client: MeasuringClient,
  url: string,
  { silent }: MeasuredSource,
  source: Source,
): Promise<Measured['told']> {
  const leave = client.visit(url)
  const response = await silent
  let isTold = false
  response.on('close', () => (isTold = true))
  await sleep(EVERY_MS)
  await leave()
  for (let n = 0; n < 8 && !isTold; n += 1) await sleep(EVERY_MS)
  if (isTold) return 'at once'
  for (let n = 0; n < 8 && !isTold; n += 1) {
    response.write(eventText(n, 64))
    if (source.flushes) response.flush()
    await sleep(EVERY_MS)
  }
  return isTold ? 'at the next write' : 'never'
}
