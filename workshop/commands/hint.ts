import { taskOf } from '../lessons/task-of.ts'
import { hintText } from '../lessons/hints.ts'
import { lessonNumbered } from '../lessons/catalogue.ts'
import { firstOpenTask, progressOf } from '../lessons/progress.ts'
import { parseArgs } from '../lessons/args.ts'
import { painter, wantsColour } from '../terminal/colour.ts'
import { refuse } from './refuse.ts'

/** `npm run hint 3.2` prints the next hint for that task; `npm run hint 3` prints one for the first task that is not done. */
export async function hint(args: string[]): Promise<number> {
  const asked = parseArgs(args)
  if ('problem' in asked) return refuse(asked.problem)
  if (asked.lesson === undefined)
    return refuse('Which task or lesson? For example: npm run hint 1.2 or npm run hint 1')

  const lesson = lessonNumbered(asked.lesson)!
  if (lesson.problem) return refuse(lesson.problem)
  const { only } = asked
  const { passed, notGraded } = progressOf(lesson.number)
  const task = only
    ? lesson.tasks.find(({ id }) => id === taskOf(only))
    : firstOpenTask(lesson, [...passed, ...notGraded])
  if (!task && only)
    return refuse(`The README of lesson ${lesson.number} has no task ${taskOf(only)}.`)
  if (!task) {
    console.log(
      `Every check of lesson ${lesson.number}${notGraded.length > 0 ? ' that could be graded' : ''} has passed. ` +
        `You can still read the hints for a task, for example: npm run hint ${lesson.tasks[0]?.id}`,
    )
    return 0
  }
  const columns = process.stdout.columns || 80
  console.log(
    `\n${hintText(task, { width: columns, paint: painter(wantsColour(process.stdout)) })}`,
  )
  return 0
}
