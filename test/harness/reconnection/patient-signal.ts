import { setMaxListeners } from 'node:events'

/**
 * Makes an `AbortController` whose signal takes any number of listeners without Node's warning:
 * what the client leaves at it is 5.6p's matter alone.
 */
export function patientAbortController(): AbortController {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  return controller
}
