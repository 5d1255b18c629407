import type { ChannelMessage } from '../../../protocol/channel.ts'
import type { PageState } from '../../../protocol/page.ts'
import type { Exchange } from '../../../wire/exchange.ts'
import { dismissStale, notify } from './state/notification.ts'
import {
  channelState,
  clearedClients,
  clearFinishedClients,
  pageState,
  selectedCheck,
} from './state/page-state.ts'
import { subscribe } from './state/reconnecting-stream.ts'
import { liveExchanges } from './wire/exchange-log.ts'
import { liveLog } from './wire/wire-log.ts'
import { hasCleared, showLive, view } from './wire/wire-view.ts'

/** Subscribes to the channel and updates the page's stores with its messages. */
export function watchWorkshop(): void {
  let epoch = ''
  /** The recorder's time that the page shows as 0. */
  let zero = 0

  function onMessage(message: ChannelMessage): void {
    switch (message.type) {
      case 'hello':
        greet(message.epoch, message.now)
        return
      case 'state':
        if (message.slice === 'recording') startAt(message.value as PageState['recording'])
        updateSlice(message.slice, message.value)
        return
      case 'gap':
        liveLog.lose(message.to - message.from + 1)
        return
      case 'wire':
        liveLog.add(message.entries.map((entry) => ({ ...entry, at: entry.at - zero })))
        return
      case 'exchanges':
        liveExchanges.add(message.exchanges.map((exchange) => movedBy(-zero, exchange)))
    }
  }

  function startAt({ zero: next = 0 }: PageState['recording']): void {
    if (next === zero) return
    liveLog.setClock(liveLog.now() + zero - next)
    zero = next
  }

  function greet(newEpoch: string, now: number): void {
    // Start over, because each run of the workshop counts its entries from 1.
    if (newEpoch !== epoch) {
      liveLog.forget()
      liveExchanges.forget()
      clearedClients.set(new Set())
      hasCleared.set(false)
      if (!view.get().saved) showLive()
    }
    epoch = newEpoch
    liveLog.setClock(now - zero)
  }

  void subscribe<ChannelMessage>({ url: './channel', onMessage, onLiveChange: updateChannelState })
}

/** Moves the times of an exchange. */
function movedBy(ms: number, exchange: Exchange): Exchange {
  const { startedAt, headAt, firstByteAt, endedAt } = exchange
  return {
    ...exchange,
    startedAt: startedAt + ms,
    ...(headAt !== undefined && { headAt: headAt + ms }),
    ...(firstByteAt !== undefined && { firstByteAt: firstByteAt + ms }),
    ...(endedAt !== undefined && { endedAt: endedAt + ms }),
  }
}

function updateSlice(slice: keyof PageState, value: unknown): void {
  const before = pageState.get()
  pageState.set({ ...before, [slice]: value ?? undefined })
  if (slice === 'grading') deselectOutdatedCheck(before.grading)
  if (slice === 'faults') dismissStale()
  if (slice === 'lesson' && before.lesson?.number !== pageState.get().lesson?.number) {
    hasCleared.set(false)
  }
  if (slice !== 'recording') return
  if (before.recording && before.recording.from !== pageState.get().recording?.from) {
    clearFinishedClients()
  }
  const { from } = value as PageState['recording']
  liveExchanges.forgetBefore(from)
  const hasGone = liveLog.forgetBefore(from)
  if (hasGone && !view.get().saved) showLive()
}

function updateChannelState(isLive: boolean): void {
  if (isLive && channelState.get() === 'reconnecting') notify('Reconnected to the workshop.')
  if (isLive) channelState.set('live')
  else if (channelState.get() === 'live') {
    channelState.set('reconnecting')
    // Stop the clock, because the recorder's time is unknown until the page has reconnected.
    liveLog.stopClock(liveLog.now())
  }
}

/** Deselects the check if a grading has ended without a failure, because the check's details are out of date. */
function deselectOutdatedCheck(before: PageState['grading']): void {
  const { isRunning, outcome } = pageState.get().grading ?? {}
  if (before?.isRunning && !isRunning && outcome !== 'fail') selectedCheck.set(undefined)
}
