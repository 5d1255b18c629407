import { constants } from 'node:os'

/** What process.kill() calls; a process that is graded gets to it in no other way. */
type Inner = { _kill(pid: number, signal: number): number }

// The work may end its own process. Those beside it are the grader and the work of others.
if (process.env.WORKSHOP_BOX) {
  const inner = process as unknown as Inner
  const { pid } = process
  const kill = inner._kill
  const killItself: Inner['_kill'] = (whom, signal) =>
    whom === pid ? kill(whom, signal) : -constants.errno.EPERM
  Object.defineProperty(process, '_kill', { value: killItself })
}
