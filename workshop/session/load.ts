import { get } from 'node:http'
import { Readable } from 'node:stream'
import type { Action, Answer, LoadState } from '../../protocol/page.ts'
import type { Load } from '../../protocol/runtime.ts'
import { readEvents } from '../../solutions/06-resume/read-events.ts'
import type { Destination } from '../../wire/tap.ts'

/** The load of a server: its memory, and the lag of its clients. */
export type LoadMonitor = {
  readonly state: LoadState
  /** Adds a sample. Call this with each measurement of the server. */
  measured(load: Load): void
  /** Performs an action. Returns undefined for an action that does not belong to the load. */
  act(action: Action): Promise<Answer> | undefined
  /** Disconnects all clients. */
  close(): void
}

/**
 * Creates a monitor. It connects a fast reader of its own as soon as the server has been measured, and slow readers on
 * request. All of them connect to the server directly, because they would flood the wire.
 *
 * @param options.fillBuffers makes the network buffers of the clients with these ports look full
 * @param options.changed called after every change of the state
 */
export function loadMonitor({
  path,
  destination,
  fillBuffers,
  changed,
}: {
  path: string
  destination(): Promise<Destination>
  fillBuffers(ports: number[]): void
  changed(): void
}): LoadMonitor {
  const slow = new Set<Reader>()
  let fast: Reader | undefined
  let taken = 0
  let samples: LoadState['samples'] = []
  let isOver = false

  async function connect(events: ReaderEvents): Promise<Reader | undefined> {
    const to = await destination()
    if (isOver || typeof to === 'string' || !('port' in to)) return undefined
    return openReader({ port: to.port, path, position: taken, events })
  }

  async function connectFast(): Promise<void> {
    fast ??= await connect({ onHead() {}, onClose: () => (fast = undefined) })
  }

  async function addSlow(): Promise<Answer> {
    if (slow.size + AT_ONCE > MOST)
      return { problem: `There are already ${slow.size} slow readers.` }
    for (let n = 0; n < AT_ONCE; n += 1) {
      const reader = await connect({
        onHead: (port) => fillBuffers([port]),
        onClose() {
          if (reader) slow.delete(reader)
          changed()
        },
      })
      if (!reader) return { problem: 'The server is not running.' }
      slow.add(reader)
    }
    changed()
    return { said: `Added ${AT_ONCE} slow readers.` }
  }

  function removeSlow(): Answer {
    const { size } = slow
    for (const reader of slow) reader.close()
    if (size === 0) return { problem: 'There are no slow readers.' }
    return { said: `Removed ${size} slow readers.` }
  }

  return {
    get state() {
      return { slowReaders: slow.size, samples }
    },
    measured({ heap, external, rss, taken: now }) {
      taken = now
      void connectFast()
      const fastest = fast ? lagOf(fast) : 0
      const slowest = Math.max(fastest, ...Array.from(slow, lagOf))
      samples = [...samples, { at: Date.now(), heap, external, rss, fastest, slowest }]
      samples = samples.slice(-MOST_SAMPLES)
      changed()
    },
    act(action) {
      if (action.do === 'add slow readers') return addSlow()
      if (action.do === 'remove slow readers') return Promise.resolve(removeSlow())
      return undefined
    },
    close() {
      isOver = true
      for (const reader of [fast, ...slow]) reader?.close()
    },
  }

  function lagOf({ position }: Reader): number {
    return Math.max(0, taken - position)
  }
}

/** A client that counts how far it has come. */
type Reader = {
  /** The ID of the last event, or the number of events that had happened before the connection. */
  readonly position: number
  close(): void
}

type ReaderEvents = {
  /** Called with the port of this end of the connection when the head has arrived. */
  onHead(port: number): void
  onClose(): void
}

function openReader({
  port,
  path,
  position,
  events,
}: {
  port: number
  path: string
  position: number
  events: ReaderEvents
}): Reader {
  // A reused connection might still have full buffers.
  const request = get({ host: '127.0.0.1', port, path, agent: false })
  request.on('error', () => {})
  request.on('close', events.onClose)
  request.on('response', async (response) => {
    if (response.statusCode !== 200) request.destroy()
    events.onHead(response.socket.localPort ?? 0)
    try {
      const body = Readable.toWeb(response) as ReadableStream<Uint8Array>
      for await (const { id } of readEvents(body)) {
        if (Number(id) > 0) position = Number(id)
      }
    } catch {
      // The connection was lost, which 'close' reports.
    }
  })
  return {
    get position() {
      return position
    },
    close: () => void request.destroy(),
  }
}

/** The number of slow readers that one action adds. */
const AT_ONCE = 100

/** The most slow readers, because a process may open only so many sockets. */
const MOST = 500

/** The number of samples to keep: two minutes. */
const MOST_SAMPLES = 120
