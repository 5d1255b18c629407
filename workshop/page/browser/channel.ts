import { keepSource } from './kept-source.ts'

/** What comes down the channel of the page. */
export type ChannelEvents = {
  hello(hello: { epoch: string; now: number }): void
  state(change: { slice: string; value: unknown }): void
  /** An array of entries, as JSON; they can be many. */
  wire(json: string): void
  gap(gap: { from: number; to: number }): void
  /** True from the first event of a connection until that connection is lost. */
  live(isLive: boolean): void
}

/** Keeps an EventSource on `/channel`, which goes on at the cursor, for as long as the page is open. */
export function openChannel({ hello, state, wire, gap, live }: ChannelEvents): void {
  let cursor = ''
  keepSource({
    url: () => (cursor ? `/channel?after=${encodeURIComponent(cursor)}` : '/channel'),
    live,
    events: {
      hello: ({ data }) => hello(JSON.parse(data)),
      state: ({ data }) => state(JSON.parse(data)),
      wire({ data, lastEventId }) {
        wire(data)
        cursor = lastEventId
      },
      gap: ({ data }) => gap(JSON.parse(data)),
    },
  })
}
