import type { Entry } from '../wire/entry.ts'
import type { Exchange } from '../wire/exchange.ts'
import type { PageState } from './page.ts'

/** A message to the page, which is sent as the data of one server-sent event. */
export type ChannelMessage =
  /** The first message. `epoch` identifies this run of the workshop, because each run numbers its entries from 1. */
  | { type: 'hello'; epoch: string; now: number }
  /** A changed slice of the state, which is sent as a whole. `value` is null if the slice no longer exists. */
  | { type: 'state'; slice: keyof PageState; value: unknown }
  | { type: 'wire'; entries: Entry[] }
  /** A gap in the wire, because the entries `from` to `to` have been evicted. */
  | { type: 'gap'; from: number; to: number }
  /** The requests and responses that have changed, each in its current state. After a reconnect, all of them. */
  | { type: 'exchanges'; exchanges: Exchange[] }
  /** Sent regularly, so that the page can distinguish a dead connection from a quiet one. */
  | { type: 'alive' }
