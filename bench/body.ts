import { recordedQuakes, type Quake } from '#feed'
import type { Size } from './section.ts'

/** The sizes of the chunks in which a body arrives, in bytes. */
export const CHUNK_SIZES = { '256 B': 256, '4 KB': 4096, '64 KB': 65_536 }

export function quakesFor(size: Size): Quake[] {
  const week = recordedQuakes()
  return size === 'full' ? week : week.slice(0, 20)
}

/** Cuts a text into chunks of equal size. */
export function chunksOf(text: string, size: number): Uint8Array[] {
  const bytes = new TextEncoder().encode(text)
  const count = Math.ceil(bytes.length / size)
  return Array.from({ length: count }, (_, n) => bytes.subarray(n * size, (n + 1) * size))
}

/** Returns a body like that of `fetch()`, which yields the next chunk only when it is asked for. */
export function bodyOf(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  let next = 0
  return new ReadableStream({
    pull(controller) {
      if (next === chunks.length) controller.close()
      else controller.enqueue(chunks[next++]!)
    },
  })
}
