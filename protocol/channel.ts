import type { Entry } from '../wire/entry.ts'
import type { PageState } from './page.ts'

/** What the channel tells a page: the data of one event each. */
export type ChannelMessage =
  /** First. `epoch` tells this start of the workshop, which counts entries anew, from others. */
  | { type: 'hello'; epoch: string; now: number }
  /** A slice that has changed, whole; null when there is none. */
  | { type: 'state'; slice: keyof PageState; value: unknown }
  | { type: 'wire'; entries: Entry[] }
  /** These entries are not kept any more. */
  | { type: 'gap'; from: number; to: number }
  /** Now and then, so that the page can tell a dead connection from a quiet one. */
  | { type: 'alive' }
