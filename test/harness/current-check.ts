import { AsyncLocalStorage } from 'node:async_hooks'

/** The checks that are followed. Timers, sockets and promises remember in whose script they came to be. */
const checks = new AsyncLocalStorage<object>()
let followers = 0

/** Runs `act` as a check of its own: whatever comes of it belongs to that check, even if others run side by side. */
export async function asCheck<T>(act: () => Promise<T>): Promise<T> {
  const leave = follow()
  try {
    return await checks.run({}, act)
  } finally {
    leave()
  }
}

/** Follows what comes of the script that calls it, until it is told to leave. */
export function followCheck(): { check: object; leave(): void } {
  const leave = follow()
  const check = currentCheck() ?? {}
  checks.enterWith(check)
  return { check, leave }
}

/** Returns the check to which the code that is running belongs, if that is known. */
export function currentCheck(): object | undefined {
  return checks.getStore()
}

function follow(): () => void {
  let isFollowing = true
  followers += 1
  return () => {
    if (isFollowing) followers -= 1
    isFollowing = false
    // Else Node goes on handing it from promise to promise, for nobody: a third of the time of all later checks.
    if (followers === 0) checks.disable()
  }
}
