import type { ProcessExit, ProcessSettings } from '../../../protocol/grading.ts'
import type { Tools } from '../toolbox.ts'
import { askGrader } from './grader.ts'

/** A process that runs the learner's `process.ts`. */
export type LearnerProcess = {
  /** The name in the transcript: `process 1`. */
  readonly name: string
  readonly port: number
  /** Resolves when the process has ended. */
  readonly exited: Promise<ProcessExit>
  /** Kills the process with SIGKILL, and waits until it has ended. */
  kill(): Promise<void>
  /** Sends SIGTERM, on which the process calls its `stop()`. It ends by itself when nothing is left running. */
  stop(): Promise<void>
}

/** Starts a process of the learner's server. It is killed when the check ends. */
export async function startLearnerProcess(
  t: Tools,
  name: string,
  settings: ProcessSettings,
): Promise<LearnerProcess> {
  const id = await t.untimed(askGrader('prepareProcess'))
  const port = await t.withTimeout(askGrader('startProcess', id, settings), {
    seen: 'startProcess() had not resolved.',
    expected: 'Expected startProcess() to resolve as soon as the process serves clients.',
  })
  const exited = askGrader('exitOfProcess', id)
  const kill = async (): Promise<void> => {
    await askGrader('signalProcess', id, 'SIGKILL')
    await exited
  }
  t.atEnd(kill)
  t.transcript.step(`${name} starts`)
  return {
    name,
    port,
    exited,
    async kill() {
      await kill()
      t.transcript.step(`${name} is killed`)
    },
    async stop() {
      t.transcript.step(`${name} gets SIGTERM`)
      await askGrader('signalProcess', id, 'SIGTERM')
    },
  }
}
