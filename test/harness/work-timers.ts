import { AsyncLocalStorage, createHook } from 'node:async_hooks'

export type TrackedTimers = { alive(): number; stop(): void }

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
  const check = {}
  checks.enterWith(check)
  watchers += 1
  const hook = createHook({
    init(id, type, _trigger, timer) {
      if (type !== 'Timeout' || checks.getStore() !== check || !isCalledByWork()) return
      made(id, timer as NodeJS.Timeout)
    },
    destroy: (id) => gone?.(id),
  }).enable()
  return () => {
    hook.disable()
    watchers -= 1
    // Else Node goes on handing it from promise to promise, for nobody: a third of the time of all later checks.
    if (watchers === 0) checks.disable()
  }
}

const checks = new AsyncLocalStorage<object>()
let watchers = 0
const WORK = process.env.WORKSHOP_BOX ?? '/solutions/'

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
