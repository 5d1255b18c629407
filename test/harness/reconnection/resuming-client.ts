import { connect } from 'node:net'
import { responseReader } from '../../../wire/response.ts'
import type { Cut, Attempt } from './cut.ts'
import type { InterruptedRun } from './cut-plans.ts'
import { EventStreamParser } from '../event-stream-parser.ts'

type ResumeOptions = {
  cuts: Cut[]
  /** The last id that it had before. */
  cursor?: string
  /** The id of the quake with which it is done. */
  last: string
}

/**
 * A right client, for checks of servers: it cuts its own connections, and comes back with the last id until `last`
 * has come.
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

  /** Comes once. Settled when the connection has closed. */
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
      // Ids that come without data count. A stream that has told none yet takes none away.
      lastEventId = events.lastEventId || lastEventId
      if (received.includes(last) || made.response.length === most) stop()
    })
    socket.on('error', () => {})
    return new Promise((closed) => socket.on('close', () => closed()))
  }

  async function attemptAll(): Promise<void> {
    // Once more than it should take: a server that closes is not to be asked for ever.
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
