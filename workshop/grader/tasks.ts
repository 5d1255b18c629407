import type {
  GraderTasks,
  ProcessSettings,
  TaskAnswer,
  TaskMessage,
} from '../../protocol/grading.ts'
import { learnerProcesses } from './learner-processes.ts'
import { gradersRedis } from './redis.ts'

/** Carries out the tasks that the checks of one process have for the grader. */
export type TasksForChecks = {
  /** Does what a check asks for. The learner's code can send such messages as well, so they may contain anything. */
  carryOut(message: TaskMessage): Promise<TaskAnswer>
  /** Kills the learner's processes, because a run has ended. */
  endRun(): Promise<void>
  /** Stops everything that was started. */
  end(): Promise<void>
}

/** @param folder the lesson's folder in the sandbox */
export function graderTasks(sandbox: string, folder: string): TasksForChecks {
  const redis = gradersRedis()
  const processes = learnerProcesses(sandbox, folder)
  const tasks: { [Task in keyof GraderTasks]: (...args: unknown[]) => Promise<unknown> } = {
    startRedis: (isShared) => redis.start(isShared === true),
    stopRedis: (id) => redis.stop(Number(id)),
    restartRedis: (id, keepsData) => redis.restart(Number(id), keepsData === true),
    prepareProcess: () => processes.prepare(),
    startProcess: (id, settings) => processes.start(Number(id), settings as ProcessSettings),
    signalProcess: async (id, signal) =>
      processes.signal(Number(id), signal === 'SIGTERM' ? 'SIGTERM' : 'SIGKILL'),
    exitOfProcess: (id) => processes.exitOf(Number(id)),
  }
  return {
    async carryOut({ task, args, word }) {
      try {
        if (!Object.hasOwn(tasks, task)) throw new Error(`the grader has no task "${task}"`)
        return { taskResult: await tasks[task](...args), word }
      } catch (error) {
        return { taskError: (error as Error).message, word }
      }
    },
    endRun: () => processes.endRun(),
    async end() {
      await Promise.all([redis.end(), processes.end()])
    },
  }
}
