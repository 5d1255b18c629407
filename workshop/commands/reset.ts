import { lessonNumbered } from '../lessons/catalogue.ts'
import { forgetProgress } from '../lessons/progress.ts'
import { resetLesson } from '../lessons/reset.ts'
import { ownWork, parseArgs } from '../lessons/args.ts'
import { refuse } from './refuse.ts'

/** `npm run reset 3`: the lesson's files as they were at the start. What was in them is saved first. */
export async function reset(args: string[]): Promise<number> {
  const asked = parseArgs(args)
  if ('problem' in asked) return refuse(asked.problem)
  if (asked.lesson === undefined) return refuse('Say which lesson: npm run reset 1')
  if (asked.only) return refuse(`A lesson is reset as a whole: npm run reset ${asked.lesson}`)
  if (asked.work !== ownWork) return refuse('Only your own work, in lessons/, can be reset.')

  const lesson = lessonNumbered(asked.lesson)!
  const { saved, written, others } = resetLesson(lesson)
  forgetProgress(lesson.number)
  const folder = `lessons/${lesson.folder}`
  if (written.length === 0) {
    console.log(`${folder} is as it was at the start. Nothing to do.`)
    return 0
  }
  console.log(`${folder} is as it was at the start: ${written.join(', ')}.`)
  if (others.length > 0) console.log(`Left as it is: ${others.join(', ')}.`)
  if (saved) {
    console.log(
      `\nYour work is in ${saved}. To get it back:\n\n` +
        `  node -e "fs.cpSync('${saved}', '${folder}', { recursive: true })"`,
    )
  }
  return 0
}
