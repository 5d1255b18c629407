import type { GraderTasks, TaskAnswer, TaskMessage } from '../../protocol/grading.ts'
import { gradersRedis } from './redis.ts'

/** Carries out the tasks that the checks of one process have for the grader. */
export type TasksForChecks = {
  /** Does what a check asks for. The learner's code can send such messages as well, so they may contain anything. */
  carryOut(message: TaskMessage): Promise<TaskAnswer>
  /** Stops all programs that were started. */
  end(): Promise<void>
}

export function graderTasks(): TasksForChecks {
  const redis = gradersRedis()
  const tasks: { [Task in keyof GraderTasks]: (...args: unknown[]) => Promise<unknown> } = {
    startRedis: (isShared) => redis.start(isShared === true),
    stopRedis: (id) => redis.stop(Number(id)),
    restartRedis: (id, keepsData) => redis.restart(Number(id), keepsData === true),
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
    end: () => redis.end(),
  }
}
