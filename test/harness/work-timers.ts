import { createHook } from 'node:async_hooks'
import { currentCheck, followCheck } from './current-check.ts'

export type TrackedTimers = { alive(): number; stop(): void }
export type TimerDelays = { readonly ms: readonly number[]; stop(): void }

/**
 * Counts the timers that the learner's files have made for this check and not cleared, unref'd ones and
 * those of node:timers/promises too. Counting starts now; what the check serves later belongs to it.
 */
export function trackTimers(): TrackedTimers {
  const alive = new Set<number>()
  const stop = watchTimers({
    made: (id) => void alive.add(id),
    gone: (id) => void alive.delete(id),
  })
  return { alive: () => alive.size, stop }
}

/** Tells of each timer that the learner's files make for this check, from now on until the function it gives is called. */
export function watchTimers({
  made,
  gone,
}: {
  made(id: number, timer: NodeJS.Timeout): void
  gone?(id: number): void
}): () => void {
  // Other checks may run beside this one. A timer knows from whose request it came.
  const { check, leave } = followCheck()
  const hook = createHook({
    init(id, type, _trigger, timer) {
      if (type !== 'Timeout' || currentCheck() !== check || !isCalledByWork()) return
      made(id, timer as NodeJS.Timeout)
    },
    destroy: (id) => gone?.(id),
  }).enable()
  return () => {
    hook.disable()
    leave()
  }
}

/** Records how long the timers take, in milliseconds, that the learner's files make for this check from now on. */
export function recordTimerDelays(): TimerDelays {
  const ms: number[] = []
  const stop = watchTimers({
    made: (_id, timer) => void ms.push(delayOf(timer)),
  })
  return { ms, stop }
}

/** Returns how long a timer takes. It has no other name for it: that is nobody's business but Node's. */
export function delayOf(timer: NodeJS.Timeout & { _idleTimeout?: number }): number {
  const { _idleTimeout: ms = Infinity } = timer
  return ms
}

const WORK = process.env.WORKSHOP_SANDBOX ?? '/solutions/'

/** Whether whoever asks was called by the learner's files. */
export function isCalledByWork(): boolean {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 30
  const { stack = '' } = new Error('where')
  Error.stackTraceLimit = limit
  // Node makes timers of its own while it answers, such as the one that keeps the Date header for a second.
  if (stack.includes('setUnrefTimeout (node:internal')) return false
  return stack.replaceAll('\\', '/').includes(WORK)
}
