import type { Quake } from '#feed'

export type Source = { name: string; open(signal: AbortSignal): AsyncIterable<Quake> }
export type Item = { source: string; quake: Quake } | { source: string; error: unknown }

export async function* mergeSources(
  sources: readonly Source[],
  signal: AbortSignal,
): AsyncGenerator<Item> {
  const iterators = sources.map(({ name, open }) => ({
    name,
    iterator: open(signal)[Symbol.asyncIterator](),
  }))
  while (iterators.length > 0) {
    for (const each of [...iterators]) {
      const { done, value: quake } = await each.iterator.next()
      if (done) iterators.splice(iterators.indexOf(each), 1)
      else yield { source: each.name, quake }
    }
  }
}
