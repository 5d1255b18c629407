import { AsyncLocalStorage } from 'node:async_hooks'

/** The current check. Timers, sockets and promises remember the script in which they were created. */
const checks = new AsyncLocalStorage<object>()
let followers = 0

/** Runs `act` as a check of its own, to which all of its async work belongs, even if other checks run concurrently. */
export async function asCheck<T>(act: () => Promise<T>): Promise<T> {
  const leave = follow()
  try {
    return await checks.run({}, act)
  } finally {
    leave()
  }
}

/** Tracks the async work of the calling script until `leave()` is called. */
export function followCheck(): { check: object; leave(): void } {
  const leave = follow()
  const check = currentCheck() ?? {}
  checks.enterWith(check)
  return { check, leave }
}

/** Returns the check to which the running code belongs, if that is known. */
export function currentCheck(): object | undefined {
  return checks.getStore()
}

function follow(): () => void {
  let isFollowing = true
  followers += 1
  return () => {
    if (isFollowing) followers -= 1
    isFollowing = false
    // Otherwise Node keeps propagating the context from promise to promise, which costs later checks a third of their time.
    if (followers === 0) checks.disable()
  }
}
