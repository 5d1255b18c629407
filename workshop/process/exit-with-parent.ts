import process from 'node:process'
import { Worker } from 'node:worker_threads'

/**
 * Ends this process when its parent has exited, for whatever reason, and not before. Ctrl-C reaches every process in the
 * terminal, but this process ignores Ctrl-C and leaves the decision to the parent. A separate thread watches the parent,
 * because the main thread may be in an endless loop.
 */
export function exitWithParent(): void {
  process.on('SIGINT', () => {})
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
  new Worker(WATCH, { eval: true, execArgv: [], workerData: process.ppid }).unref()
}

// Write plain JavaScript, because this thread loads no modules. On Unix, an orphan gets a new parent. On Windows, an
// orphan keeps its parent's process ID, which no longer exists.
const WATCH = `
  const { workerData: parent } = require('node:worker_threads')
  setInterval(() => {
    try {
      process.kill(parent, 0)
      if (process.ppid === parent) return
    } catch {}
    process.kill(process.pid, 'SIGKILL')
  }, 250)
`
