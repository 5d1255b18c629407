import type { Quake } from '#feed'

export type Source = { name: string; open(signal: AbortSignal): AsyncIterable<Quake> }
export type Item = { source: string; quake: Quake } | { source: string; error: unknown }

/** Looks at the sources in turn, beginning after the source that was served last. */
export async function* mergeSources(
  sources: readonly Source[],
  signal: AbortSignal,
): AsyncGenerator<Item> {
  if (signal.aborted) return
  let ring = () => {}
  const slots = sources.map((source) => new Slot(source, () => ring()))
  const end = (): void => {
    for (const slot of slots) slot.close()
    ring()
  }
  signal.addEventListener('abort', end)
  try {
    for (const slot of slots) slot.ask()
    let last = -1
    while (slots.some((slot) => !slot.isOver) && !signal.aborted) {
      const turns = slots.map((_, n) => (last + 1 + n) % slots.length)
      const next = turns.find((n) => slots[n]!.item)
      if (next === undefined) {
        await new Promise<void>((resolve) => (ring = resolve))
        continue
      }
      last = next
      const slot = slots[next]!
      const item = slot.take()
      // Ask in advance: the source fetches the next quake while the loop is busy with this one.
      slot.ask()
      yield item
    }
  } finally {
    signal.removeEventListener('abort', end)
    end()
  }
}

class Slot {
  item: Item | undefined
  #isDone = false
  #iterator: AsyncIterator<Quake> | undefined
  readonly #closing = new AbortController()
  readonly #source: Source
  readonly #changed: () => void

  constructor(source: Source, changed: () => void) {
    this.#source = source
    this.#changed = changed
  }

  /** Whether the source has ended and its last item has been taken. */
  get isOver(): boolean {
    return this.#isDone && !this.item
  }

  async ask(): Promise<void> {
    if (this.#isDone) return
    const source = this.#source.name
    try {
      this.#iterator ??= this.#source.open(this.#closing.signal)[Symbol.asyncIterator]()
      const { done, value: quake } = await this.#iterator.next()
      if (done) this.#isDone = true
      else this.item = { source, quake }
    } catch (error) {
      this.#isDone = true
      this.item = { source, error }
    }
    this.#changed()
  }

  take(): Item {
    const item = this.item!
    this.item = undefined
    return item
  }

  close(): void {
    this.#closing.abort()
    if (!this.#isDone) this.#iterator?.return?.().then(undefined, () => {})
    this.#isDone = true
    this.item = undefined
  }
}
