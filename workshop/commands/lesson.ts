import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { lessonNumbered } from '../lessons/catalogue.ts'
import { parseArgs } from '../lessons/args.ts'
import { takeShareTarget } from '../session/share-args.ts'
import { refuse } from './refuse.ts'

/**
 * `npm run lesson` lists the lessons. `npm run lesson 3` runs your server with real earthquakes, shows the wire, and
 * grades your work after every save. `npm run lesson 2 exhibit` runs the well-known wrong program with which a lesson
 * begins. `npm run lesson 4 measure` runs the experiment of lesson 4. The exhibits of lessons 7 and 10 are experiments, too:
 * programs that print a table. `npm run lesson 1 with ADDRESS CODE` also shows your progress on the instructor's board.
 */
export async function lesson(args: string[]): Promise<number> {
  if (/^(lesson ?)?0?4 measure\b/i.test(args.join(' '))) {
    const { experiment } = await import('../experiment/experiment.ts')
    return experiment(args.slice(args.indexOf('measure') + 1))
  }
  const share = takeShareTarget(args)
  if (share && 'problem' in share) return refuse(share.problem)
  const isExhibit = args.at(-1) === 'exhibit'
  const asked = parseArgs(isExhibit ? args.slice(0, -1) : args)
  if ('problem' in asked) {
    return refuse(asked.problem)
  }
  const found = asked.lesson === undefined ? undefined : lessonNumbered(asked.lesson)
  if (!found) {
    if (isExhibit) {
      return refuse('The exhibit of which lesson? For example: npm run lesson 2 exhibit')
    }
    if (share) return refuse('Which lesson? For example: npm run lesson 1 with ADDRESS CODE')
    const { lessonTable } = await import('../lessons/table.ts')
    const { painter, wantsColour } = await import('../terminal/colour.ts')
    console.log(lessonTable(painter(wantsColour(process.stdout))))
    return 0
  }
  if (isExhibit && share)
    return refuse('An exhibit is not graded, so there is no progress to show.')
  const { work } = asked
  if (isExhibit && !existsSync(join(work.folder, found.folder, 'exhibit'))) {
    return refuse(
      `Lesson ${found.number} has no exhibit: there is no folder ${work.name}/${found.folder}/exhibit.`,
    )
  }
  const experiment = join(work.folder, found.folder, 'exhibit', 'program.ts')
  if (isExhibit && existsSync(experiment)) return runExperiment(experiment)
  const { live } = await import('../session/terminal.ts')
  return live({ lesson: found, work, isExhibit }, share)
}

/** Runs a program in this terminal, and returns its exit code. */
async function runExperiment(file: string): Promise<number> {
  const { forkTypeScript } = await import('../process/fork-typescript.ts')
  const [code] = (await once(forkTypeScript(file, 'inherit'), 'exit')) as [number | null]
  return code ?? 1
}
