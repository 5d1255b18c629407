import process from 'node:process'
import { onEndSignal } from './signals.ts'

/**
 * Calls `cleanUp` when this process ends, even by a signal, so that no process of ours outlives it.
 *
 * @returns a function that cancels this
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
    // If there is no other listener, let the signal do what it does by default.
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
