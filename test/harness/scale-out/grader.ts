import { randomUUID } from 'node:crypto'
import type { GraderTasks, TaskAnswer, TaskMessage } from '../../../protocol/grading.ts'
import { secrets } from '../secrets.ts'
import { noteProgress } from '../signs-of-life.ts'

/** Whether there is a grader, which may start programs. */
export const hasGrader = secrets !== undefined

/** Asks the grader to do something that this process may not do, and returns the result. */
export async function askGrader<Task extends keyof GraderTasks>(
  task: Task,
  ...args: Parameters<GraderTasks[Task]>
): Promise<Awaited<ReturnType<GraderTasks[Task]>>> {
  const word = randomUUID()
  const answer = await new Promise<TaskAnswer>((resolve) => {
    const listen: Listener = (message) => {
      if (message?.word !== word) return
      stopListening(listen)
      resolve(message as TaskAnswer)
    }
    startListening(listen)
    send?.({ task, args, word } satisfies TaskMessage)
  })
  noteProgress()
  if ('taskError' in answer) throw new Error(answer.taskError)
  return answer.taskResult as Awaited<ReturnType<GraderTasks[Task]>>
}

// The grader loads this file before the learner's code, which could otherwise answer in place of the grader.
const send = process.send?.bind(process)
const { prependListener, off } = process
const startListening = (listen: Listener): void =>
  void Reflect.apply(prependListener, process, ['message', listen])
const stopListening = (listen: Listener): void =>
  void Reflect.apply(off, process, ['message', listen])

type Listener = (message: Partial<TaskAnswer> | undefined) => void
