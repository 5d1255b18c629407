import { constants } from 'node:os'

/** What process.kill() calls; a process that is graded gets at signals in no other way. */
type Inner = { _kill: (pid: number, signal: number) => number }

// The work may end its own process. Those beside it are the grader and the work of others.
if (process.env.WORKSHOP_BOX) {
  const { _kill: kill } = process as unknown as Inner
  const { pid } = process
  Object.defineProperty(process, '_kill', {
    value: (whom: number, signal: number) =>
      whom === pid ? kill(whom, signal) : -constants.errno.EPERM,
  })
}
