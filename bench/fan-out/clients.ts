import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Quake } from '#feed'

/** Clients of an event stream, each with a socket of its own. */
export type Clients = {
  /** Resolves when every client has received `count` quakes. Rejects if a connection or a quake is lost. */
  received(count: number): Promise<void>
  close(): void
}

/** A byte that occurs once in each quake, and nowhere else, so that clients can count quakes cheaply. */
const MARK = '~'

export function marked(quake: Quake): Quake {
  return { ...quake, place: `${quake.place.replaceAll(MARK, '')}${MARK}` }
}

/** A quake that takes longer than this is lost. */
const LOST_MS = 60_000

/** Opens the streams, and resolves when each of them has begun. */
export async function openClients(port: number, count: number): Promise<Clients> {
  const sockets: Socket[] = []
  /** The number of quakes that each client has received. */
  const counts = new Uint32Array(count)
  let wanted = Infinity
  let missing = 0
  let resolve = (): void => {}
  let reject = (_error: Error): void => {}

  async function open(client: number): Promise<void> {
    const socket = connect(port, '127.0.0.1')
    sockets.push(socket)
    socket.write('GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    // Each server sends the first bytes of its body together with the head.
    await once(socket, 'data')
    socket.on('data', (bytes) => {
      const before = counts[client]!
      const now = before + marksIn(bytes)
      counts[client] = now
      if (before < wanted && now >= wanted) missing -= 1
      if (missing === 0) resolve()
    })
    socket.on('close', () => reject(new Error('the server closed a connection')))
  }

  // Open a hundred at a time, because a server's backlog is limited.
  for (let first = 0; first < count; first += 100) {
    const group = Array.from({ length: Math.min(100, count - first) }, (_, n) => open(first + n))
    await Promise.all(group)
  }

  return {
    async received(quakes) {
      const all = new Promise<void>((...settle) => ([resolve, reject] = settle))
      wanted = quakes
      missing = counts.filter((each) => each < wanted).length
      if (missing === 0) resolve()
      const late = setTimeout(() => {
        reject(new Error(`${missing} of ${count} clients did not receive quake ${quakes}`))
      }, LOST_MS)
      await all.finally(() => clearTimeout(late))
    },
    close() {
      for (const socket of sockets) socket.removeAllListeners('close').destroy()
    },
  }
}

function marksIn(bytes: Buffer): number {
  let marks = 0
  for (let at = bytes.indexOf(MARK); at !== -1; at = bytes.indexOf(MARK, at + 1)) marks += 1
  return marks
}
