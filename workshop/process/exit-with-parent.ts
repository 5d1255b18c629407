import process from 'node:process'
import { Worker } from 'node:worker_threads'

/**
 * Ends this process when the one that started it is gone, however it went, and not before: a Ctrl-C, which reaches
 * every process of the terminal, is for the parent. A thread looks after it, for the main one may be in an endless
 * loop.
 */
export function exitWithParent(): void {
  process.on('SIGINT', () => {})
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
  new Worker(WATCH, { eval: true, execArgv: [], workerData: process.ppid }).unref()
}

// Plain JavaScript, for a thread that loads nothing. On Unix an orphan gets another parent; on Windows it
// keeps the number of one that does not exist any more.
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
