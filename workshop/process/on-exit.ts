import process from 'node:process'
import { onEndSignal } from './signals.ts'

/**
 * Calls `cleanUp` when this process ends, even by a signal, so that no process that we started outlives it.
 *
 * @returns a function that cancels the call
 */
export function onExit(cleanUp: () => void): () => void {
  if (cleanUps.size === 0) stopListening = listen()
  cleanUps.add(cleanUp)
  return () => {
    cleanUps.delete(cleanUp)
    if (cleanUps.size === 0) stopListening()
  }
}

const cleanUps = new Set<() => void>()
let stopListening = (): void => {}

function listen(): () => void {
  process.on('exit', cleanAll)
  const stop = onEndSignal((signal) => {
    cleanAll()
    stopListening()
    // If there is no other listener, send the signal again, so that it has its default effect.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
  })
  return () => {
    process.off('exit', cleanAll)
    stop()
  }
}

function cleanAll(): void {
  for (const cleanUp of cleanUps) cleanUp()
}
