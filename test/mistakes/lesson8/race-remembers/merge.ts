import type { Quake } from '#feed'

export type Source = { name: string; open(signal: AbortSignal): AsyncIterable<Quake> }
export type Item = { source: string; quake: Quake } | { source: string; error: unknown }

export async function* mergeSources(
  sources: readonly Source[],
  signal: AbortSignal,
): AsyncGenerator<Item> {
  const closing = new AbortController()
  const close = (): void => closing.abort()
  if (signal.aborted) close()
  signal.addEventListener('abort', close)
  const aborted = new Promise<undefined>((resolve) =>
    closing.signal.addEventListener('abort', () => resolve(undefined)),
  )
  // A source that was served goes to the end of the map.
  const pending = new Map<Slot, Promise<Arrival>>()
  for (const source of sources) {
    const slot = { source, signal: closing.signal }
    pending.set(slot, arrival(slot))
  }

  try {
    while (pending.size > 0) {
      const first = await Promise.race([aborted, ...pending.values()])
      if (!first) return
      const { slot, done, item } = first
      pending.delete(slot)
      if (item) yield item
      if (!done) pending.set(slot, arrival(slot))
    }
  } finally {
    signal.removeEventListener('abort', close)
    close()
    for (const { iterator } of pending.keys()) iterator?.return?.().catch(() => {})
  }
}

type Slot = { source: Source; signal: AbortSignal; iterator?: AsyncIterator<Quake> }
type Arrival = { slot: Slot; done?: boolean; item?: Item }

async function arrival(slot: Slot): Promise<Arrival> {
  const source = slot.source.name
  try {
    slot.iterator ??= slot.source.open(slot.signal)[Symbol.asyncIterator]()
    const { done, value: quake } = await slot.iterator.next()
    return done ? { slot, done } : { slot, item: { source, quake } }
  } catch (error) {
    return { slot, done: true, item: { source, error } }
  }
}
