import type { Segment } from './response.ts'

/** What the bytes of one arrival are. */
export type Interpretation = {
  /** The stretches of HTTP in it, as offsets in its bytes. A request is one stretch of `data`. */
  segments: { kind: Segment['kind']; from: number; to: number }[]
  /** Of an event stream: the lines that this arrival completes, and the events they dispatch. */
  events?: {
    lines: { field: string; value: string; isComment: boolean }[]
    dispatched: { type: string; data: string; lastEventId: string }[]
  }
  /** False when the beginning of the connection is not kept: then all of it is one stretch. */
  isWhole: boolean
}
