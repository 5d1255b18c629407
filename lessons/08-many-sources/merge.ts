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
  throw new Error('lesson 8, task 8.1: write mergeSources()')
}
