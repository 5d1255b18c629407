import type { Arrival } from './arrival.ts'
import type { Closing } from './tap.ts'

/** One thing that happened on the wire. They are counted from 1; `at` is in milliseconds since the recording began. */
export type Entry = { n: number; at: number } & (
  | { kind: 'opened'; connection: number }
  | ({ kind: 'arrived'; connection: number; size: number } & Omit<Arrival, 'at' | 'bytes'>)
  | ({ kind: 'closed'; connection: number } & Omit<Closing, 'at'>)
  /** What the workshop itself did: `cut 2 connections`. */
  | { kind: 'note'; text: string }
)
