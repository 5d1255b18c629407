import { followStream } from '../../solutions/07-filtered-stream/client.ts'
import type { ClientState } from '../../protocol/page.ts'
import type { PageClient } from '../session/page-client.ts'
import { AUTHORIZATION, FILTERED_STREAM } from '../runtime/filtered-stream.ts'

/** Connects the client of lesson 7 to a filtered stream. It reconnects after a cut, and asks for the backfill. */
export function connectStreamFollower({
  id,
  url,
  changed,
}: {
  id: number
  url: string
  changed(): void
}): PageClient {
  const state: ClientState = { id, state: 'connecting', quakes: 0, last: [] }
  const left = new AbortController()

  async function follow(): Promise<void> {
    const matches = followStream(url, {
      signal: left.signal,
      init: { headers: AUTHORIZATION },
      keepAliveMs: FILTERED_STREAM.keepAliveMs,
      onState({ name }) {
        state.state = name === 'open' ? 'reading' : 'connecting'
        changed()
      },
    })
    for await (const { data } of matches) {
      state.quakes += 1
      state.last = [data]
      changed()
    }
  }

  follow().catch((error: Error) => {
    state.state = 'refused'
    state.what = `${error.message}.`
    changed()
  })
  return {
    state,
    leave() {
      left.abort()
      state.state = 'left'
      changed()
    },
  }
}
