import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from '../lessons/args.ts'
import { lessonNumbered, solutionsFolder } from '../lessons/catalogue.ts'
import { differences, formatDifference } from '../lessons/compare.ts'
import { solutionFiles } from '../lessons/stubs.ts'
import { taskOf } from '../lessons/task-of.ts'
import { guardsOf } from '../mistakes/guards.ts'
import { reasonsFor, type Reason } from '../mistakes/reasons.ts'
import { painter, wantsColour, type Paint } from '../terminal/colour.ts'
import { readable } from '../terminal/markdown.ts'
import { refuse } from './refuse.ts'

/**
 * `npm run solution 3` prints how your files differ from the solution, and why. `npm run solution 3.2` leaves out the
 * differences that matter only to other tasks.
 */
export async function solution(args: string[]): Promise<number> {
  const asked = parseArgs(args)
  if ('problem' in asked) return refuse(asked.problem)
  if (asked.lesson === undefined) return refuse('Which lesson? For example: npm run solution 1')

  const lesson = lessonNumbered(asked.lesson)!
  const { folder } = lesson
  const { work, only } = asked
  const paint = painter(wantsColour(process.stdout))
  const whose = work.name === 'lessons' ? 'yours' : work.name
  console.log(
    `\nLines marked ${paint('bad', '-')} are ${whose}. Lines marked ${paint('good', '+')} are from the solution.`,
  )
  for (const name of solutionFiles(folder)) {
    const mine = join(work.folder, folder, name)
    const theirs = join(solutionsFolder, folder, name)
    console.log(
      `\n${paint('strong', `${work.name}/${folder}/${name}`)} compared with solutions/${folder}/${name}`,
    )
    if (!existsSync(mine)) {
      console.log(`  This file is missing in ${work.name}/${folder}.`)
      continue
    }
    const checksOfLines = guardsOf(lesson.number, name)
    const all = differences(readFileSync(mine, 'utf8'), readFileSync(theirs, 'utf8')).map(
      (difference) => ({ difference, checks: checksOfLines(difference.added) }),
    )
    const shown = all.filter(({ checks }) => !only || checks.some(({ id }) => isIn(only, id)))
    if (all.length === 0) console.log('  The files are identical.')
    else if (shown.length === 0) console.log(`  No difference matters to ${only}.`)
    const parts = shown.flatMap(({ difference, checks }) => [
      formatDifference(difference, paint),
      ...formatReasons(reasonsFor(checks, lesson), paint),
    ])
    if (parts.length > 0) console.log(parts.join('\n\n'))
  }
  return 0
}

/** Returns whether a check is the requested check, or belongs to the requested task. */
function isIn(only: string, id: string): boolean {
  return id === only || taskOf(id) === only
}

function formatReasons(reasons: Reason[], paint: Paint): string[] {
  if (reasons.length === 0) return []
  const width = process.stdout.columns || 80
  const lines = reasons.map(({ id, text }) => readable(`- ${id}: ${text}`, { width, paint }))
  return [['  Why the solution has these lines:', ...lines].join('\n')]
}
