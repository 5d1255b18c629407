import { constants } from 'node:os'

/** The internal function that process.kill() uses. Only the debugger has another way to send a signal. */
type Inner = { _kill: (pid: number, signal: number) => number }

// Let the work kill its own process, but not the grader or the processes of other people's work.
if (process.env.WORKSHOP_SANDBOX) {
  const { _kill: kill } = process as unknown as Inner
  const { pid } = process
  Object.defineProperties(process, {
    _kill: {
      value: (whom: number, signal: number) =>
        whom === pid ? kill(whom, signal) : -constants.errno.EPERM,
    },
    // Disable this function, because the debugger's signal kills a process that does not handle it.
    _debugProcess: { value: undefined },
  })
}
