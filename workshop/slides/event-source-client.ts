import { watchQuakes } from '../../solutions/02-server-sent-events/watch.ts'
import type { ClientState } from '../../protocol/page.ts'
import type { PageClient } from '../session/page-client.ts'

/** Connects an `EventSource` to a stream of quakes. Unlike the page's other clients, it reconnects after a cut. */
export function connectEventSource({
  id,
  url,
  changed,
}: {
  id: number
  url: string
  changed(): void
}): PageClient {
  const state: ClientState = { id, state: 'connecting', quakes: 0, last: [] }
  const close = watchQuakes(url, {
    onQuake(quake) {
      state.state = 'reading'
      state.quakes += 1
      state.last = [quake]
      changed()
    },
    onOver() {
      state.state = 'ended'
      changed()
    },
  })
  return {
    state,
    leave() {
      state.state = 'left'
      close()
      changed()
    },
  }
}
