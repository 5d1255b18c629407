import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { lessonNumbered } from '../lessons/catalogue.ts'
import { parseArgs } from '../lessons/args.ts'
import { refuse } from './refuse.ts'

/**
 * `npm run lesson` lists the lessons; `npm run lesson 3` shows one: your server on real earthquakes, the
 * wire, and a grade at each save. `npm run lesson 2 exhibit` runs the lesson's famous wrong program, and
 * `npm run lesson 4 measure` its experiment.
 */
export async function lesson(args: string[]): Promise<number> {
  if (/^(lesson ?)?0?4 measure\b/i.test(args.join(' '))) {
    const { experiment } = await import('../experiment/experiment.ts')
    return experiment(args.slice(args.indexOf('measure') + 1))
  }
  const isExhibit = args.at(-1) === 'exhibit'
  const asked = parseArgs(isExhibit ? args.slice(0, -1) : args)
  if ('problem' in asked) {
    return refuse(asked.problem)
  }
  const found = asked.lesson === undefined ? undefined : lessonNumbered(asked.lesson)
  if (!found) {
    if (isExhibit) {
      return refuse('Say whose exhibit: npm run lesson 2 exhibit')
    }
    const { lessonTable } = await import('../lessons/table.ts')
    const { painter, wantsColour } = await import('../terminal/colour.ts')
    console.log(lessonTable(painter(wantsColour(process.stdout))))
    return 0
  }
  const { work } = asked
  if (isExhibit && !existsSync(join(work.folder, found.folder, 'exhibit'))) {
    return refuse(
      `Lesson ${found.number} has no exhibit: ${work.name}/${found.folder}/exhibit is not there.`,
    )
  }
  const { live } = await import('../session/terminal.ts')
  return live({ lesson: found, work, isExhibit })
}
