import { createServer, type Socket } from 'node:net'
import { followQuakes } from '#work/06-resume/client.ts'
import { listenOnFreePort } from '../../../wire/listen.ts'
import type { Tools } from '../check.ts'
import { instantClock, WATCHDOG_MS } from './controlled-clock.ts'
import { completeEvents } from './cut-position.ts'
import type { Cut, Attempt } from './cut.ts'
import type { InterruptedRun } from './cut-plans.ts'
import { patientAbortController } from './patient-signal.ts'
import { SILENT } from '../transcript.ts'
import { waiting } from '../waiting.ts'
import { turns } from '../event-loop.ts'

/** A server with a stream so short that it can be cut after each byte. */
export type CuttingServer = {
  ids: string[]
  /** The length in bytes of the response to a request without a cursor, including its head. */
  responseLength: number
  /** The length in bytes of that head. */
  headLength: number
  /** Follows the stream with the learner's client until the last quake has arrived. Cuts one connection after another. */
  startClient(cuts: Cut[]): InterruptedRun
}

/** Serves a short stream with fixed answers until the script ends. */
export async function cuttingServer(t: Tools): Promise<CuttingServer> {
  const { ids, responseTo } = answers()
  const runs: ClientRun[] = []
  const clients = new Set<Socket>()

  const server = createServer({ noDelay: true }, (client) => {
    clients.add(client)
    // Ignore the error, because a 'close' event follows.
    client.on('error', () => {})
    client.on('close', () => clients.delete(client))
    let request: Buffer = Buffer.alloc(0)
    client.on('data', (bytes) => {
      request = Buffer.concat([request, bytes])
      if (request.includes('\r\n\r\n')) answer(client, request)
    })
  })

  function answer(client: Socket, request: Buffer): void {
    const head = request.toString('latin1')
    const { cuts, attempts, received } = runs[Number(/\?client=(\d+)/.exec(head)![1])]!
    const cut = cuts[attempts.length]
    const cursor = /^last-event-id: *(.*)\r$/im.exec(head)?.[1]
    const whole = responseTo(cursor)
    const isCut = cut !== undefined && cut.after <= whole.length
    const response =
      cut?.of === 'request' ? Buffer.alloc(0) : whole.subarray(0, cut?.after ?? Infinity)
    const attempt = { cursor, request, response, cut: isCut ? cut : undefined }
    attempts.push(attempt)
    client.write(response, async () => {
      if (!isCut) return
      await hasRead(attempt, received)
      // Close without a reset. After a reset, some systems discard the bytes that the client has not read yet, so the
      // cut would be too early. To the client, an unfinished chunked response is cut off however the connection closes.
      client.destroy()
    })
  }

  const port = await listenOnFreePort(server)
  t.atEnd(() => {
    for (const client of clients) client.destroy()
    return new Promise((closed) => server.close(closed))
  })
  return {
    ids,
    responseLength: responseTo(undefined).length,
    headLength: HEAD.length,
    startClient(cuts) {
      const url = `http://127.0.0.1:${port}/events?client=${runs.length}`
      const run: ClientRun = { cuts, attempts: [], received: [] }
      runs.push(run)
      return { ...run, ...runClient(url, run.received, ids.at(-1)!) }
    },
  }
}

type ClientRun = { cuts: Cut[]; attempts: Attempt[]; received: string[] }

function runClient(
  url: string,
  received: string[],
  last: string,
): Pick<InterruptedRun, 'done' | 'stop'> {
  const abort = patientAbortController()
  const { signal } = abort
  const quick = { clock: instantClock, stallMs: WATCHDOG_MS, random: () => 0 }
  const read = async (): Promise<void> => {
    for await (const { id } of followQuakes(url, { ...quick, signal })) {
      received.push(id)
      if (id === last) return
    }
  }
  return { done: read(), stop: () => abort.abort() }
}

/** Waits until the client has read everything, because a response that fails discards its unread bytes. */
async function hasRead(attempt: Attempt, received: string[]): Promise<void> {
  const whole = completeEvents(attempt)
  const { waitFor } = waiting(SILENT)
  // If an event does not arrive, the wait for the last quake reports the failure.
  const untold = { seen: '', expected: '' }
  await waitFor(() => whole.every((id) => received.includes(id)), untold).catch(() => {})
  await turns(5)
}

function answers(): { ids: string[]; responseTo(cursor: string | undefined): Buffer } {
  // Keep the stream short, because the response is cut after each of its bytes.
  const ids = ['q1', 'q2', 'q3']
  const [a, b, c] = ids
  // Vary the events: a line of data may be the first line of a response, and a cut may split a character.
  const events = [
    [`id: ${a}\ndata: {"id":"${a}"}\n\n`],
    [`data: {"id":"${b}","place":"Ísland"}\nid: ${b}\n\n`],
    [`:\n\nid: ${c}\nda`, `ta: {"id":"${c}"}\n\n`],
  ]
  return {
    ids,
    responseTo(cursor) {
      const chunks = events.slice(ids.indexOf(cursor ?? '') + 1).flat()
      return Buffer.from(HEAD + chunks.map(framed).join(''))
    },
  }
}

const HEAD =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'

function framed(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
}
