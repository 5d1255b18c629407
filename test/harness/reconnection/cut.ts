import { sampleEvery } from '../sampling.ts'

/** Where a connection is cut: behind so many bytes of its request, or of its response. */
export type Cut = { of: 'request' | 'response'; after: number }

/** One request of somebody who is cut off and comes back, and what has become of it. */
export type Attempt = {
  /** What it had as Last-Event-ID. */
  readonly cursor: string | undefined
  readonly request: Buffer
  /** What the client got. */
  readonly response: Buffer
  /** Where it is cut, if it is. */
  readonly cut: Cut | undefined
}

/** A cut behind each byte from `first` to `last`. @param every behind one in so many */
export function cutAfterEachByte(of: Cut['of'], first: number, last: number, every = 1): Cut[] {
  const all = Array.from({ length: last - first + 1 }, (_, n) => ({ of, after: first + n }))
  const spacing = every * sampleEvery()
  return all.filter((_, n) => n % spacing === 0)
}

/** Inside a head all places are alike: no event has begun. */
export const ONE_IN_A_HEAD = 7
