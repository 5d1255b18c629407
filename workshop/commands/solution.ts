import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { lessonNumbered, solutionsFolder } from '../lessons/catalogue.ts'
import { compared } from '../lessons/compare.ts'
import { solutionFiles } from '../lessons/stubs.ts'
import { parseArgs } from '../lessons/args.ts'
import { painter, wantsColour } from '../terminal/colour.ts'
import { refuse } from './refuse.ts'

/** `npm run solution 3` prints how your files differ from the solution. */
export async function solution(args: string[]): Promise<number> {
  const asked = parseArgs(args)
  if ('problem' in asked) return refuse(asked.problem)
  if (asked.lesson === undefined) return refuse('Which lesson? For example: npm run solution 1')

  const { folder } = lessonNumbered(asked.lesson)!
  const { work } = asked
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
    console.log(compared(readFileSync(mine, 'utf8'), readFileSync(theirs, 'utf8'), paint))
  }
  return 0
}
