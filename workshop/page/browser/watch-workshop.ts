import type { Entry } from '../../../wire/entry.ts'
import type { PageState } from '../state.ts'
import { say, unsayOld } from './act.ts'
import { openChannel } from './channel.ts'
import { picked } from './Check.tsx'
import { dismissed, dismissThoseOver } from './dismissed.ts'
import { connection, page } from './page-state.ts'
import { live } from './wire-log.ts'
import { hasCleared, showLive, view } from './wire-view.ts'

/** Brings what the channel says to where the page keeps it. */
export function watchWorkshop(): void {
  let epoch = ''
  openChannel({
    hello(hello) {
      // Another start of the workshop counts its entries from 1 again.
      if (hello.epoch !== epoch) {
        live.forget()
        dismissed.set(new Set())
        hasCleared.set(false)
      }
      if (hello.epoch !== epoch && !view.get().saved) showLive()
      epoch = hello.epoch
      live.setClock(hello.now)
    },
    state({ slice, value }) {
      const before = page.get()
      page.set({ ...before, [slice]: value ?? undefined })
      if (slice === 'grading') gradingChanged(before.grading)
      if (slice === 'trouble') unsayOld()
      if (slice === 'lesson' && before.lesson?.number !== page.get().lesson?.number) {
        hasCleared.set(false)
      }
      if (slice !== 'recording') return
      if (before.recording && before.recording.from !== page.get().recording?.from) {
        dismissThoseOver()
      }
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
      else if (connection.get() === 'live') {
        connection.set('reconnecting')
        // Nobody knows what happens meanwhile.
        live.stopClock(live.now())
      }
    },
  })
}

/** When a grading ends, and there is no failure to be told, the check that was picked is out of date. */
function gradingChanged(before: PageState['grading']): void {
  const { isRunning, outcome } = page.get().grading ?? {}
  if (before?.isRunning && !isRunning && outcome !== 'fail') picked.set(undefined)
}
