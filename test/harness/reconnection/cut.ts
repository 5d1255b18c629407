import { sampleEvery } from '../sampling.ts'

/** Where a connection is cut: after so many bytes of its request or response. */
export type Cut = { of: 'request' | 'response'; after: number }

/** One request of a client that is cut off and reconnects, and its result. */
export type Attempt = {
  /** The Last-Event-ID of the request. */
  readonly cursor: string | undefined
  readonly request: Buffer
  /** The bytes that the client got. */
  readonly response: Buffer
  /** Where the connection is cut, if it is. */
  readonly cut: Cut | undefined
}

/** Returns a cut after each byte from `first` to `last`. @param every cut only after every so many bytes */
export function cutAfterEachByte(of: Cut['of'], first: number, last: number, every = 1): Cut[] {
  const all = Array.from({ length: last - first + 1 }, (_, n) => ({ of, after: first + n }))
  const spacing = every * sampleEvery()
  return all.filter((_, n) => n % spacing === 0)
}

/** Inside a head, a few cuts are enough, because no event has begun. */
export const ONE_IN_A_HEAD = 7
