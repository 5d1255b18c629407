import { connect } from 'node:net'
import { responseReader } from '../../wire/response.ts'
import type { Cut, Visit } from './cut.ts'
import type { Travel } from './cuts.ts'
import { eventReader } from './sse.ts'

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
export function resumes(port: number, path: string, { cuts, cursor, last }: ResumeOptions): Travel {
  const visits: Visit[] = []
  const came: string[] = []
  let has = cursor
  let leave = (): void => {}
  let hasLeft = false

  /** Comes once. Settled when the connection has closed. */
  function visit(cut: Cut | undefined): Promise<void> {
    const response = responseReader()
    const events = eventReader()
    const header = has === undefined ? '' : `Last-Event-ID: ${has}\r\n`
    const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${header}\r\n`)
    const made = { cursor: has, request, response: Buffer.alloc(0) as Buffer, cut }
    visits.push(made)
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    leave = () => void socket.destroy()
    if (cut?.of === 'request') socket.write(request.subarray(0, cut.after), leave)
    else socket.write(request)

    const most = cut?.of === 'response' ? cut.after : Infinity
    socket.on('data', (bytes) => {
      const taken = bytes.subarray(0, most - made.response.length)
      made.response = Buffer.concat([made.response, taken])
      for (const segment of response.push(taken)) {
        if (segment.kind !== 'data') continue
        for (const { type, lastEventId } of events.push(segment.bytes)) {
          came.push(type === 'message' ? lastEventId : type)
        }
      }
      // Ids that come without data count. A stream that has told none yet takes none away.
      has = events.lastEventId || has
      if (came.includes(last) || made.response.length === most) leave()
    })
    socket.on('error', () => {})
    return new Promise((closed) => socket.on('close', () => closed()))
  }

  async function visitAll(): Promise<void> {
    // Once more than it should take: a server that closes is not to be asked for ever.
    for (let n = 0; n < cuts.length + 2 && !hasLeft && !came.includes(last); n += 1) {
      await visit(cuts[n])
    }
  }

  return {
    visits,
    came,
    done: visitAll(),
    leave() {
      hasLeft = true
      leave()
    },
  }
}
