import { createHook } from 'node:async_hooks'
import { currentCheck, followCheck } from './current-check.ts'

export type TrackedTimers = {
  alive(): number
  /** The delays of the timers that are alive, in milliseconds. */
  delays(): number[]
  stop(): void
}
export type TimerDelays = { readonly ms: readonly number[]; stop(): void }

/**
 * Counts the timers that the learner's files have created for this check but not cleared, including unref'd timers and
 * those from node:timers/promises. Counting starts now, and includes everything that the check serves later.
 */
export function trackTimers(): TrackedTimers {
  const alive = new Map<number, number>()
  const stop = watchTimers({
    made: (id, timer) => void alive.set(id, delayOf(timer)),
    gone: (id) => void alive.delete(id),
  })
  return { alive: () => alive.size, delays: () => [...alive.values()], stop }
}

/** Reports each timer that the learner's files create for this check. Returns a function that stops the reports. */
export function watchTimers({
  made,
  gone,
}: {
  made(id: number, timer: NodeJS.Timeout): void
  gone?(id: number): void
}): () => void {
  // Other checks may run concurrently, but a timer belongs to the check whose request created it.
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

/** Records the delays, in milliseconds, of the timers that the learner's files create for this check from now on. */
export function recordTimerDelays(): TimerDelays {
  const ms: number[] = []
  const stop = watchTimers({
    made: (_id, timer) => void ms.push(delayOf(timer)),
  })
  return { ms, stop }
}

/** Returns the delay of a timer, for which Node has no public API. */
export function delayOf(timer: NodeJS.Timeout & { _idleTimeout?: number }): number {
  const { _idleTimeout: ms = Infinity } = timer
  return ms
}

const WORK = process.env.WORKSHOP_SANDBOX ?? '/solutions/'

/** Returns whether the learner's files called the calling function. */
export function isCalledByWork(): boolean {
  const { stackTraceLimit, prepareStackTrace } = Error
  Error.stackTraceLimit = 30
  // Return only the file names. Vitest would also map each line to its source, which took a third of the time of some
  // checks.
  Error.prepareStackTrace = (_error, callSites) => callSites
  const sites = new Error('where').stack as unknown as NodeJS.CallSite[]
  Object.assign(Error, { stackTraceLimit, prepareStackTrace })
  const files = sites.map((site) => site.getFileName()?.replaceAll('\\', '/') ?? '')
  // Node creates its own timers while it answers requests, such as the one that caches the Date header for a second.
  const isOfNode = sites.some(
    (site, n) =>
      site.getFunctionName() === 'setUnrefTimeout' && files[n]!.startsWith('node:internal'),
  )
  return !isOfNode && files.some((file) => file.includes(WORK))
}
