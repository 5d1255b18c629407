import type { Quake } from '#feed'

export type Source = { name: string; open(signal: AbortSignal): AsyncIterable<Quake> }
export type Item = { source: string; quake: Quake } | { source: string; error: unknown }

export async function* mergeSources(
  sources: readonly Source[],
  signal: AbortSignal,
): AsyncGenerator<Item> {
  const ended = new AbortController()
  const end = (): void => ended.abort()
  if (signal.aborted) end()
  signal.addEventListener('abort', end)
  let running = sources.length

  // Nothing is asked for in advance. The stream holds at most one item of each source.
  const items = new ReadableStream<{ item: Item; taken(): void }>(
    {
      start(controller) {
        const close = (): void => {
          try {
            controller.close()
          } catch {
            // It is closed already.
          }
        }
        if (running === 0 || ended.signal.aborted) close()
        ended.signal.addEventListener('abort', close)
        for (const source of sources) {
          void pump(source, ended.signal, (item) => {
            if (ended.signal.aborted) return Promise.resolve()
            return new Promise<void>((taken) => controller.enqueue({ item, taken }))
          }).finally(() => {
            running -= 1
            if (running === 0) close()
          })
        }
      },
    },
    { highWaterMark: 0 },
  )

  try {
    for await (const { item, taken } of items) {
      if (ended.signal.aborted) return
      yield item
      taken()
    }
  } finally {
    signal.removeEventListener('abort', end)
    end()
  }
}

/** Passes every item of a source on, and waits until each has been taken. */
async function pump(
  { name: source, open }: Source,
  signal: AbortSignal,
  pass: (item: Item) => Promise<void>,
): Promise<void> {
  if (signal.aborted) return
  try {
    const iterator = open(signal)[Symbol.asyncIterator]()
    signal.addEventListener('abort', () => {
      iterator.return?.().catch(() => {})
    })
    for (;;) {
      const { done, value: quake } = await iterator.next()
      if (done || signal.aborted) return
      await pass({ source, quake })
    }
  } catch (error) {
    await pass({ source, error })
  }
}
