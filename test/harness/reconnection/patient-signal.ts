import { setMaxListeners } from 'node:events'

/**
 * Makes an `AbortController` whose signal accepts any number of listeners without a warning from Node, because only
 * check 6.2p tests whether the client removes its listeners.
 */
export function patientAbortController(): AbortController {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  return controller
}
