import { constants } from 'node:os'

/** The internal function that process.kill() uses. Only the debugger's function sends a signal in another way. */
type Inner = { _kill: (pid: number, signal: number) => number }

// Let the learner's code kill its own process, but neither the grader nor the processes that run other people's code.
if (process.env.WORKSHOP_SANDBOX) {
  const { _kill: kill } = process as unknown as Inner
  const { pid } = process
  Object.defineProperties(process, {
    _kill: {
      value: (whom: number, signal: number) =>
        whom === pid ? kill(whom, signal) : -constants.errno.EPERM,
    },
    // Disable the debugger's function, because its signal kills a process that does not handle it.
    _debugProcess: { value: undefined },
  })
}
