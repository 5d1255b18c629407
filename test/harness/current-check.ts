import { AsyncLocalStorage } from 'node:async_hooks'

/** The checks whose scripts have begun. Timers, sockets and promises remember in whose script they came to be. */
const checks = new AsyncLocalStorage<object>()

/** Runs `act` as a check of its own: whatever comes of it belongs to that check, even if others run side by side. */
export function asCheck<T>(act: () => T): T {
  return checks.run({}, act)
}

/** The check to which the code that is running belongs, if that is known. */
export function currentCheck(): object | undefined {
  return checks.getStore()
}
