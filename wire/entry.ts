import type { Arrival } from './arrival.ts'
import type { Closing } from './tap.ts'

/**
 * One thing that happened on the wire. They are counted from 1; `at` is in milliseconds since the recording
 * began.
 */
export type Entry = { n: number; at: number } & (
  | { kind: 'opened'; connection: number }
  /** `cursor` is what a request says that its client has: `Last-Event-ID`. */
  | ({ kind: 'arrived'; connection: number; size: number; cursor?: string } & Omit<
      Arrival,
      'at' | 'bytes'
    >)
  /** `text` says what it means for the response that was on its way, `isFailure` whether it was cut. */
  | ({ kind: 'closed'; connection: number; text: string; isFailure: boolean } & Omit<Closing, 'at'>)
  /** What the workshop itself did: `cut 2 connections`. */
  | { kind: 'note'; text: string }
)
