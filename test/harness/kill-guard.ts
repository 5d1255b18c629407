import { constants } from 'node:os'

/** What process.kill() calls, and what wakes the debugger of a process: there is no other way to a signal. */
type Inner = { _kill: (pid: number, signal: number) => number }

// The work may end its own process. Those beside it are the grader and the work of others.
if (process.env.WORKSHOP_SANDBOX) {
  const { _kill: kill } = process as unknown as Inner
  const { pid } = process
  Object.defineProperties(process, {
    _kill: {
      value: (whom: number, signal: number) =>
        whom === pid ? kill(whom, signal) : -constants.errno.EPERM,
    },
    // A program that has none is ended by it.
    _debugProcess: { value: undefined },
  })
}
