import type { ProcessExit, ProcessSettings } from '../../../protocol/grading.ts'
import type { Tools } from '../toolbox.ts'
import { askGrader } from './grader.ts'

/** A process that runs the learner's `process.ts`. */
export type LearnerProcess = {
  /** The name in the transcript: `process 1`. */
  readonly name: string
  /** Resolves when the process has ended. */
  readonly exited: Promise<ProcessExit>
  /**
   * Calls `startProcess()` in the process, and returns the port.
   *
   * @param when what happened before, as a sentence
   */
  start(settings: ProcessSettings, when?: string): Promise<number>
  /** Kills the process with SIGKILL, and waits until it has ended. */
  kill(): Promise<void>
  /** Sends SIGTERM, on which the process calls its `stop()`. It ends by itself when nothing is left running. */
  stop(): Promise<void>
}

/** Starts processes, and names each by a number. */
export type Launcher = {
  prepare(): Promise<number>
  start(id: number, settings: ProcessSettings): Promise<number>
  signal(id: number, signal: 'SIGTERM' | 'SIGKILL'): unknown
  exitOf(id: number): Promise<ProcessExit>
}

/** Prepares a process, in which nothing of the learner runs yet. It is killed when the check ends. */
export async function prepareProcess(
  t: Tools,
  name: string,
  launcher = gradersLauncher,
): Promise<LearnerProcess> {
  const id = await t.untimed(launcher.prepare())
  const exited = launcher.exitOf(id)
  const kill = async (): Promise<void> => {
    await launcher.signal(id, 'SIGKILL')
    await exited
  }
  t.atEnd(kill)
  return {
    name,
    exited,
    async start(settings, when = '') {
      const port = await t.withTimeout(launcher.start(id, settings), {
        seen: `${when && `${when} `}In ${name}, startProcess() did not resolve.`,
        expected: 'Expected startProcess() to resolve as soon as the process serves clients.',
        ...(when && { often: LEFT_BEHIND }),
      })
      t.transcript.step(`${name} starts`, { at: name, label: 'starts' })
      return port
    },
    async kill() {
      await kill()
      t.transcript.step(`${name} is killed`, { at: name, label: 'is killed' })
    },
    async stop() {
      t.transcript.step(`${name} gets SIGTERM`, { at: name, label: 'gets SIGTERM' })
      await launcher.signal(id, 'SIGTERM')
    },
  }
}

const gradersLauncher: Launcher = {
  prepare: () => askGrader('prepareProcess'),
  start: (id, settings) => askGrader('startProcess', id, settings),
  signal: (id, signal) => askGrader('signalProcess', id, signal),
  exitOf: (id) => askGrader('exitOfProcess', id),
}

const LEFT_BEHIND =
  'your code waits for something in Redis that the killed process has left behind, such as a lock.'
