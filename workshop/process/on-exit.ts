import process from 'node:process'
import { onEndSignal } from './signals.ts'

/**
 * Calls `cleanUp` when this process ends, also by a signal, so that no process of ours outlives it.
 *
 * @returns takes it back
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
    // Somebody else may have plans for it. If not, it does what it does.
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
