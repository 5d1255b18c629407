import type { Quake } from '#feed'

export type Entry = { id: string; quake: Quake; n?: number }

export type History = {
  readonly isOver: boolean
  after(id: string | undefined): Promise<{ entries: Entry[]; isGap: boolean }>
  subscribe(listener: Listener): () => void
}

export type Listener = { onEntry(entry: Entry): void; onOver(): void }

export type WritableHistory = History & {
  append(quake: Quake): void
  end(): void
}

// A ring buffer. Entry n is at index n modulo the capacity, and a map contains the n of each ID that a client can ask for.
class Ring implements WritableHistory {
  isOver = false
  readonly #capacity: number
  readonly #ring: Entry[] = []
  readonly #numbers = new Map<string, number>()
  readonly #listeners = new Map<number, Listener>()
  #edge: string | undefined
  #subscriptions = 0
  #count = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  async after(id: string | undefined): Promise<{ entries: Entry[]; isGap: boolean }> {
    const oldest = Math.max(0, this.#count - this.#capacity)
    const has = id === undefined ? oldest - 1 : this.#numbers.get(id)
    const entries: Entry[] = []
    for (let n = (has ?? oldest - 1) + 1; n < this.#count; n += 1) {
      entries.push(this.#ring[n % this.#capacity]!)
    }
    return { entries, isGap: has === undefined }
  }

  subscribe(listener: Listener): () => void {
    const number = (this.#subscriptions += 1)
    this.#listeners.set(number, listener)
    return () => {
      this.#listeners.delete(number)
    }
  }

  append(quake: Quake): void {
    const n = this.#count
    const entry = { id: quake.id, quake, n }
    const evicted = this.#ring[n % this.#capacity]
    if (evicted) {
      // A client can still ask for the ID that was evicted last, but not for an older ID.
      if (this.#edge !== undefined) this.#numbers.delete(this.#edge)
      this.#edge = evicted.id
    }
    this.#ring[n % this.#capacity] = entry
    this.#numbers.set(entry.id, n)
    this.#count += 1
    this.#listeners.forEach((listener) => listener.onEntry(entry))
  }

  end(): void {
    this.isOver = true
    this.#listeners.forEach((listener) => listener.onOver())
  }
}

export function createHistory({ capacity = 1000 } = {}): WritableHistory {
  return new Ring(capacity)
}
