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
  // One listener for all tasks, because Node warns of a leak if there are more than ten.
  if (waiting.size === 0) startListening()
  const answer = await new Promise<TaskAnswer>((resolve) => {
    waiting.set(word, resolve)
    send?.({ task, args, word } satisfies TaskMessage)
  })
  waiting.delete(word)
  if (waiting.size === 0) stopListening()
  noteProgress()
  if ('taskError' in answer) throw new Error(answer.taskError)
  return answer.taskResult as Awaited<ReturnType<GraderTasks[Task]>>
}

// The grader loads this file before the learner's code, which could otherwise answer in place of the grader.
const send = process.send?.bind(process)
const { prependListener, off, setMaxListeners } = process
const stopListening = (): void => void Reflect.apply(off, process, ['message', listen])

/**
 * Listens to the grader without a warning of a leak. Vitest adds a listener for each run of a process, so in a process that
 * has graded ten programs, this listener would be too many.
 */
function startListening(): void {
  const most = process.getMaxListeners()
  Reflect.apply(setMaxListeners, process, [0])
  Reflect.apply(prependListener, process, ['message', listen])
  Reflect.apply(setMaxListeners, process, [most])
}

/** The tasks that the grader has not answered yet. */
const waiting = new Map<string, (answer: TaskAnswer) => void>()

function listen(message: Partial<TaskAnswer> | undefined): void {
  if (typeof message?.word === 'string') waiting.get(message.word)?.(message as TaskAnswer)
}
