import type { Entry } from '../../../wire/entry.ts'
import type { PageState } from '../state.ts'
import { say } from './act.ts'
import { openChannel } from './channel.ts'
import { connection, page } from './page-state.ts'
import { live } from './wire-log.ts'
import { showLive, view } from './wire-view.ts'

/** Brings what the channel says to where the page keeps it. */
export function watchWorkshop(): void {
  let epoch = ''
  openChannel({
    hello(hello) {
      // Another start of the workshop counts its entries from 1 again.
      if (hello.epoch !== epoch) live.forget()
      if (hello.epoch !== epoch && !view.get().saved) showLive()
      epoch = hello.epoch
      live.setClock(hello.now)
    },
    state({ slice, value }) {
      page.set({ ...page.get(), [slice]: value ?? undefined })
      if (slice !== 'recording') return
      const hasGone = live.forgetBefore((value as PageState['recording']).from)
      if (hasGone && !view.get().saved) showLive()
    },
    wire(json) {
      live.add(JSON.parse(json) as Entry[])
    },
    gap({ from, to }) {
      live.lose(to - from + 1)
    },
    live(isLive) {
      if (isLive && connection.get() === 'reconnecting') say('The workshop is back.')
      if (isLive) connection.set('live')
      else if (connection.get() === 'live') connection.set('reconnecting')
    },
  })
}
