import { connect } from 'node:net'
import { responseReader } from '../../../wire/response.ts'
import type { Cut, Attempt } from './cut.ts'
import type { InterruptedRun } from './cut-plans.ts'
import { EventStreamParser } from '../event-stream-parser.ts'

type ResumeOptions = {
  cuts: Cut[]
  /** The cursor of the first request. */
  cursor?: string
  /** The ID of the last quake. When that quake has arrived, the run is done. */
  last: string
}

/**
 * Runs a correct client, for checks that test a server. The client cuts its own connections, and reconnects with the last
 * ID until `last` has arrived.
 */
export function resumingClient(
  port: number,
  path: string,
  { cuts, cursor, last }: ResumeOptions,
): InterruptedRun {
  const attempts: Attempt[] = []
  const received: string[] = []
  let lastEventId = cursor
  let stop = (): void => {}
  let isStopped = false

  /** Makes one connection. Resolves when that connection has closed. */
  function attempt(cut: Cut | undefined): Promise<void> {
    const response = responseReader()
    const events = new EventStreamParser()
    const header = lastEventId === undefined ? '' : `Last-Event-ID: ${lastEventId}\r\n`
    const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${header}\r\n`)
    const made = { cursor: lastEventId, request, response: Buffer.alloc(0) as Buffer, cut }
    attempts.push(made)
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    stop = () => void socket.destroy()
    if (cut?.of === 'request') socket.write(request.subarray(0, cut.after), stop)
    else socket.write(request)

    const most = cut?.of === 'response' ? cut.after : Infinity
    socket.on('data', (bytes) => {
      const taken = bytes.subarray(0, most - made.response.length)
      made.response = Buffer.concat([made.response, taken])
      for (const segment of response.push(taken)) {
        if (segment.kind !== 'data') continue
        for (const event of events.push(segment.bytes)) {
          received.push(event.type === 'message' ? event.lastEventId : event.type)
        }
      }
      // Use the IDs of blocks without data as well. If the stream has not sent an ID yet, keep the previous ID.
      lastEventId = events.lastEventId || lastEventId
      if (received.includes(last) || made.response.length === most) stop()
    })
    socket.on('error', () => {})
    return new Promise((closed) => socket.on('close', () => closed()))
  }

  async function attemptAll(): Promise<void> {
    // Make at most one connection more than necessary, because a server may close every connection.
    for (let n = 0; n < cuts.length + 2 && !isStopped && !received.includes(last); n += 1) {
      await attempt(cuts[n])
    }
  }

  return {
    attempts,
    received,
    done: attemptAll(),
    stop() {
      isStopped = true
      stop()
    },
  }
}
