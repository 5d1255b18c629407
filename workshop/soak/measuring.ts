import { subscribe } from 'node:diagnostics_channel'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Reading } from './messages.ts'

/** Begins to watch the responses of this process. Returns a function that measures what the process holds. */
export function measuring(): { measure(): Promise<Omit<Reading, 'listeners'>> } {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  let responses: WeakRef<ServerResponse>[] = []
  subscribe('http.server.request.start', (message) => {
    responses.push(new WeakRef((message as { response: ServerResponse }).response))
  })

  return {
    async measure() {
      for (let n = 0; n < COLLECTIONS; n += 1) {
        gc()
        // A WeakRef that was read stays strong until the turn ends, and some handles close only in the next turn.
        await sleep(0)
      }
      const heapMB = process.memoryUsage().heapUsed / 2 ** 20
      const active = process.getActiveResourcesInfo()
      const count = (type: string): number => active.filter((name) => name === type).length
      const living = responses.flatMap((ref) => ref.deref() ?? [])
      responses = living.map((response) => new WeakRef(response))
      return {
        timers: count('Timeout'),
        sockets: count('TCPSocketWrap'),
        responses: living.length,
        full: living.filter((response) => response.writableNeedDrain).length,
        heapMB,
      }
    },
  }
}

/** How many collections it takes, because an object with a finalizer outlives the first one. */
const COLLECTIONS = 3
