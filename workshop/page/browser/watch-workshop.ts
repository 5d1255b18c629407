import type { ChannelMessage } from '../../../protocol/channel.ts'
import type { PageState } from '../../../protocol/page.ts'
import { say, unsayOld } from './act.ts'
import { picked } from './Check.tsx'
import { dismissed, dismissThoseOver } from './dismissed.ts'
import { keepStream } from './kept-stream.ts'
import { connection, page } from './page-state.ts'
import { live } from './wire-log.ts'
import { hasCleared, showLive, view } from './wire-view.ts'

/** Brings what the channel says to where the page keeps it. */
export function watchWorkshop(): void {
  let epoch = ''

  function told(message: ChannelMessage): void {
    switch (message.type) {
      case 'hello':
        greet(message.epoch, message.now)
        return
      case 'state':
        stateCame(message.slice, message.value)
        return
      case 'gap':
        live.lose(message.to - message.from + 1)
        return
      case 'wire':
        live.add(message.entries)
    }
  }

  function greet(begun: string, now: number): void {
    // Another start of the workshop counts its entries from 1 again.
    if (begun !== epoch) {
      live.forget()
      dismissed.set(new Set())
      hasCleared.set(false)
      if (!view.get().saved) showLive()
    }
    epoch = begun
    live.setClock(now)
  }

  void keepStream<ChannelMessage>({ url: '/channel', told, live: becomesLive })
}

function stateCame(slice: keyof PageState, value: unknown): void {
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
}

function becomesLive(isLive: boolean): void {
  if (isLive && connection.get() === 'reconnecting') say('The workshop is back.')
  if (isLive) connection.set('live')
  else if (connection.get() === 'live') {
    connection.set('reconnecting')
    // Nobody knows what happens meanwhile.
    live.stopClock(live.now())
  }
}

/** When a grading ends, and there is no failure to be told, the check that was picked is out of date. */
function gradingChanged(before: PageState['grading']): void {
  const { isRunning, outcome } = page.get().grading ?? {}
  if (before?.isRunning && !isRunning && outcome !== 'fail') picked.set(undefined)
}
