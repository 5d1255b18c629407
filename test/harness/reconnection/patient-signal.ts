import { setMaxListeners } from 'node:events'

/**
 * Makes an `AbortController` whose signal takes any number of listeners without Node's warning:
 * only 6.2p tests the listeners that the client leaves.
 */
export function patientAbortController(): AbortController {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  return controller
}
