import { setMaxListeners } from 'node:events'

/**
 * Creates an `AbortController` whose signal accepts any number of listeners without Node's warning, because only 5.6p
 * tests the listeners that the client leaves behind.
 */
export function patientAbortController(): AbortController {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  return controller
}
