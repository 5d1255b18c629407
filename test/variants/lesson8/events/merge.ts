import { EventEmitter, once } from 'node:events'
import type { Quake } from '#feed'

export type Source = { name: string; open(signal: AbortSignal): AsyncIterable<Quake> }
export type Item = { source: string; quake: Quake } | { source: string; error: unknown }

/** One task for each source puts its items into a queue, and waits until each item has been taken. */
export async function* mergeSources(
  sources: readonly Source[],
  signal: AbortSignal,
): AsyncGenerator<Item> {
  const leaving = new AbortController()
  const leave = (): void => leaving.abort()
  if (signal.aborted) leave()
  signal.addEventListener('abort', leave, { once: true })

  const queue: { item: Item; taken(): void }[] = []
  const events = new EventEmitter()
  let running = sources.length

  async function read({ name, open }: Source): Promise<void> {
    const put = (item: Item): Promise<void> =>
      new Promise((taken) => {
        queue.push({ item, taken })
        events.emit('news')
      })
    const closing = new AbortController()
    try {
      const iterator = open(closing.signal)[Symbol.asyncIterator]()
      leaving.signal.addEventListener('abort', () => {
        closing.abort()
        void Promise.resolve(iterator.return?.()).catch(() => {})
      })
      for (;;) {
        const result = await iterator.next()
        if (result.done) break
        await put({ source: name, quake: result.value })
      }
    } catch (error) {
      if (!leaving.signal.aborted) await put({ source: name, error })
    }
    running -= 1
    events.emit('news')
  }

  try {
    if (!leaving.signal.aborted) for (const source of sources) void read(source)
    while (!leaving.signal.aborted && (running > 0 || queue.length > 0)) {
      const next = queue.shift()
      if (next) {
        yield next.item
        next.taken()
      } else {
        await once(events, 'news', { signal: leaving.signal })
      }
    }
  } catch (error) {
    if (!leaving.signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', leave)
    leave()
  }
}
