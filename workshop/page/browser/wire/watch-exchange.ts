import { assemble, type Assembled } from '../../../../wire/assemble.ts'
import { arrivalsAtClient } from '../../../../wire/entry.ts'
import type { Exchange } from '../../../../wire/exchange.ts'
import { pageState } from '../state/page-state.ts'
import { openDecompressor } from './decompress-in-browser.ts'
import { view, type View } from './wire-view.ts'

/**
 * Loads an exchange with its bodies, and again whenever more of it has arrived.
 *
 * @param show called with the exchange, or with a message if its bytes are not available
 */
export async function watchExchange(
  id: number,
  signal: AbortSignal,
  show: (found: Assembled | string) => void,
): Promise<void> {
  const { saved, exchanges } = view.get()
  for (;;) {
    const exchange = exchanges.find(id)
    if (!exchange) return
    const begun = performance.now()
    const found = saved ? await assembleSaved(exchange, saved) : await load(id, signal)
    if (signal.aborted) return
    show(found)
    if (saved || exchange.endedAt !== undefined) return
    // Assembling a long stream takes the workshop some time, which the stream itself needs, too.
    await pause(Math.max(SHORTEST_PAUSE_MS, 10 * (performance.now() - begun)), signal)
    while (!signal.aborted && exchanges.find(id)?.version === exchange.version) {
      await pause(SHORTEST_PAUSE_MS, signal)
    }
    if (signal.aborted) return
  }
}

const SHORTEST_PAUSE_MS = 250

async function load(id: number, signal: AbortSignal): Promise<Assembled | string> {
  try {
    const response = await fetch(`/exchange/${id}`, { signal })
    if (!response.ok) return (await response.text()).trim()
    return startedAt(pageState.get().recording?.zero ?? 0, await response.json())
  } catch {
    return 'The workshop does not answer. Is it running?'
  }
}

async function assembleSaved(
  { connection, lastEntry, nth }: Exchange,
  { entries }: NonNullable<View['saved']>,
): Promise<Assembled | string> {
  const last = entries.findIndex(({ entry }) => entry.n === lastEntry)
  const found = await assemble(arrivalsAtClient(entries, connection, last), nth, openDecompressor)
  return found ?? 'The recording does not contain the beginning of this connection.'
}

/** Moves the times, so that 0 is a time of the recorder. */
function startedAt(zero: number, assembled: Assembled): Assembled {
  const { request, response, messages } = assembled
  for (const list of [request.body?.content, response.body?.content, messages]) {
    if (list && 'items' in list) for (const item of list.items) item.at -= zero
  }
  return assembled
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
