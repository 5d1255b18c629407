import { AsyncLocalStorage } from 'node:async_hooks'

/** Holds the current check. Timers, sockets and promises remember the check whose script created them. */
const checks = new AsyncLocalStorage<object>()
let followers = 0

/** Runs `act` as a check. All of its async work belongs to that check, even if other checks run concurrently. */
export async function asCheck<T>(act: () => Promise<T>): Promise<T> {
  const leave = follow()
  try {
    return await checks.run({}, act)
  } finally {
    leave()
  }
}

/** Tracks the calling script's async work until `leave()` is called. */
export function followCheck(): { check: object; leave(): void } {
  const leave = follow()
  const check = currentCheck() ?? {}
  checks.enterWith(check)
  return { check, leave }
}

/** Returns the check to which the running code belongs, or undefined if the check is unknown. */
export function currentCheck(): object | undefined {
  return checks.getStore()
}

function follow(): () => void {
  let isFollowing = true
  followers += 1
  return () => {
    if (isFollowing) followers -= 1
    isFollowing = false
    // Otherwise, Node would keep propagating the context from promise to promise, which would take a third of the time
    // of the later checks.
    if (followers === 0) checks.disable()
  }
}
