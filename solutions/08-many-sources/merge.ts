// #region 8.1
import { setMaxListeners } from 'node:events'
// #endregion
import type { Quake } from '#feed'

/** A named source of earthquakes, such as one seismic network. `open()` works like `Feed.open()`. */
export type Source = { name: string; open(signal: AbortSignal): AsyncIterable<Quake> }

/** An earthquake from one of the sources, or the error with which a source failed. */
export type Item = { source: string; quake: Quake } | { source: string; error: unknown }

/**
 * Task 8.1: Yields the earthquakes of all sources as they happen, in order for each source. Asks a source for its next
 * earthquake only when the previous one has been taken, and takes turns between sources that are ready.
 *
 * Task 8.2: Yields the error of a source that fails as its last item, and continues with the others. Ends when every source has
 * ended or failed, or when `signal` aborts. Closes every source, even one that is still waiting for its next earthquake.
 */
export async function* mergeSources(
  sources: readonly Source[],
  signal: AbortSignal,
): AsyncGenerator<Item> {
  // #region 8.1 mergeSources()
  if (signal.aborted) return
  const closing = new AbortController()
  const close = (): void => closing.abort()
  signal.addEventListener('abort', close)
  // Every source listens to this signal. Node warns about more than ten listeners.
  setMaxListeners(0, closing.signal)

  const running = new Set(sources.map((source): Reader => ({ source })))
  /** The items that have arrived but have not been yielded, at most one per source. */
  const queue: { reader: Reader; item: Item }[] = []
  let wake = (): void => {}
  closing.signal.addEventListener('abort', () => wake())

  async function pull(reader: Reader): Promise<void> {
    const source = reader.source.name
    try {
      reader.iterator ??= reader.source.open(closing.signal)[Symbol.asyncIterator]()
      const { done, value: quake } = await reader.iterator.next()
      if (done) running.delete(reader)
      else queue.push({ reader, item: { source, quake } })
    } catch (error) {
      running.delete(reader)
      queue.push({ reader, item: { source, error } })
    }
    wake()
  }

  try {
    for (const reader of running) void pull(reader)
    while (!closing.signal.aborted) {
      const first = queue.shift()
      if (first) {
        yield first.item
        // Pull only now, so that a slow loop slows the source down. Its next item goes to the end of the queue.
        if (running.has(first.reader)) void pull(first.reader)
      } else if (running.size > 0) {
        // Wait for one bell instead of racing the pending promises. Each race leaves a reaction on a silent source's promise.
        await new Promise<void>((resolve) => (wake = resolve))
      } else return
    }
  } finally {
    signal.removeEventListener('abort', close)
    // Abort first, because a generator finishes its pending next() before it obeys return().
    close()
    for (const { iterator } of running) void leave(iterator)
  }
  // #endregion
}

// #region 8.1
/** A source that has not ended, and its iterator once it is open. */
type Reader = { source: Source; iterator?: AsyncIterator<Quake> }

/** Leaves an iteration. Nothing waits for this, because a source that ignores its signal may never settle. */
async function leave(iterator: AsyncIterator<Quake> | undefined): Promise<void> {
  try {
    await iterator?.return?.()
  } catch {
    // The source is no longer needed, so its error does not matter.
  }
}
// #endregion
