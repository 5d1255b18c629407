import { lessonNumbered } from '../lessons/catalogue.ts'
import { forgetProgress } from '../lessons/progress.ts'
import { resetLesson } from '../lessons/reset.ts'
import { ownWork, parseArgs } from '../lessons/args.ts'
import { refuse } from './refuse.ts'

/** `npm run reset 3` saves your work on a lesson, and then replaces its files with the stubs. */
export async function reset(args: string[]): Promise<number> {
  const asked = parseArgs(args)
  if ('problem' in asked) return refuse(asked.problem)
  if (asked.lesson === undefined) return refuse('Which lesson? For example: npm run reset 1')
  if (asked.only) return refuse(`You can only reset a whole lesson: npm run reset ${asked.lesson}`)
  if (asked.work !== ownWork) return refuse('You can only reset your own work in lessons/.')

  const lesson = lessonNumbered(asked.lesson)!
  const { saved, written, others } = resetLesson(lesson)
  forgetProgress(lesson.number)
  const folder = `lessons/${lesson.folder}`
  if (written.length === 0) {
    console.log(`Nothing to reset: the files in ${folder} are unchanged.`)
    return 0
  }
  console.log(`These files in ${folder} are stubs again: ${written.join(', ')}.`)
  if (others.length > 0) console.log(`Files of your own were kept: ${others.join(', ')}.`)
  if (saved) {
    console.log(
      `\nYour work is saved in ${saved}. To restore it:\n\n` +
        `  node -e "fs.cpSync('${saved}', '${folder}', { recursive: true })"`,
    )
  }
  return 0
}
