/**
 * Calls `wish` when this process ends, also by a signal, so that no process of ours outlives it.
 *
 * @returns takes the wish back
 */
export function lastWish(wish: () => void): () => void {
  if (wishes.size === 0) listen()
  wishes.add(wish)
  return () => {
    wishes.delete(wish)
    if (wishes.size === 0) stopListening()
  }
}

const wishes = new Set<() => void>()
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

function fulfil(): void {
  for (const wish of wishes) wish()
}

function end(signal: NodeJS.Signals): void {
  fulfil()
  stopListening()
  // Somebody else may have plans for it. If not, it does what it does.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
}

function listen(): void {
  process.on('exit', fulfil)
  for (const signal of SIGNALS) process.on(signal, end)
}

function stopListening(): void {
  process.off('exit', fulfil)
  for (const signal of SIGNALS) process.off(signal, end)
}
