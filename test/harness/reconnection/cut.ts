import { sampleEvery } from '../sampling.ts'

/** The point at which a connection is cut, as a number of bytes of its request or response. */
export type Cut = { of: 'request' | 'response'; after: number }

/** One request from a client that is cut off and reconnects, with its result. */
export type Attempt = {
  /** The Last-Event-ID of the request. */
  readonly cursor: string | undefined
  readonly request: Buffer
  /** The bytes that the client received. */
  readonly response: Buffer
  /** The cut of the connection, if any. */
  readonly cut: Cut | undefined
}

/** Returns a cut after each byte from `first` to `last`. @param every the number of bytes between two cuts */
export function cutAfterEachByte(of: Cut['of'], first: number, last: number, every = 1): Cut[] {
  const all = Array.from({ length: last - first + 1 }, (_, n) => ({ of, after: first + n }))
  const spacing = every * sampleEvery()
  return all.filter((_, n) => n % spacing === 0)
}

/** The number of bytes between two cuts in a head. A few cuts are enough there, because no event has begun. */
export const ONE_IN_A_HEAD = 7
