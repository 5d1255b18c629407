import { currentCheck, followCheck } from '../current-check.ts'
import { turns } from '../event-loop.ts'
import { replaceMethod } from '../untouched.ts'

/**
 * Counts how often this check waits for a promise that stays pending. Each wait leaves a reaction in the memory of the
 * promise, and `Promise.race()` adds one to every promise that it gets, at each call.
 */
export type PendingReactions = {
  /** Returns the largest number of waits for one promise that is still pending. */
  most(): Promise<number>
  stop(): void
}

export function countPendingReactions(): PendingReactions {
  const { check, leave } = followCheck()
  // Promise.race() calls then() on each promise. An await does not, but nothing can await one pending promise in a loop.
  const { prototype } = Promise
  const { then } = prototype
  const counts = new Map<Promise<unknown>, number>()
  const counting = function (this: Promise<unknown>, ...reactions: []): unknown {
    if (currentCheck() === check) counts.set(this, (counts.get(this) ?? 0) + 1)
    return then.apply(this, reactions)
  }
  const putBack = replaceMethod(prototype, 'then', counting)
  return {
    async most() {
      const byCount = [...counts].toSorted(([, one], [, other]) => other - one).slice(0, 20)
      for (const [promise, count] of byCount) {
        if (await isPending(promise)) return count
      }
      return 0
    },
    stop() {
      putBack()
      leave()
    },
  }
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let isSettled = false
  const settle = (): void => void (isSettled = true)
  promise.then(settle, settle)
  await turns()
  return !isSettled
}
