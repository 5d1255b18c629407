import { existsSync, rmSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { lessonNumbered } from '../lessons/catalogue.ts'
import { callersFolder } from '../lessons/args.ts'
import { layOut, mistakeCalled, type Mistake } from '../mistakes/mistakes.ts'
import { ROOT } from '../root.ts'
import { shellWord } from '../terminal/shell-word.ts'
import { refuse } from './refuse.ts'

/**
 * Writes the files of a mistake to a folder laid out like lessons/, where the mistake can be read, run and graded like
 * any other work. For contributors: `node workshop/start.mjs mistake lesson1/collects [FOLDER]`.
 */
export async function mistake([address = '', into]: string[]): Promise<number> {
  let found: Mistake
  try {
    found = mistakeCalled(address)
  } catch (error) {
    return refuse(`${(error as Error).message}. Name a mistake like this: lesson1/collects`)
  }
  const { lesson, name, fails } = found
  const folder = into ? resolve(callersFolder(), into) : join(KEPT, `lesson${lesson}`, name)
  const place = join(folder, lessonNumbered(lesson)!.folder)
  if (!into) rmSync(folder, { recursive: true, force: true })
  // The folder may contain somebody's work.
  if (existsSync(place)) return refuse(`${place} already exists. Choose another folder.`)
  layOut(found, folder)
  const word = shellWord(into ?? relative(ROOT, folder))
  console.log(
    [
      `${address} is in ${relative(callersFolder(), place) || place}`,
      `npm run lesson ${lesson} ${word}   runs it`,
      `npm test -- lesson${lesson} ${word}   grades it: the first check to fail is ${fails}`,
    ].join('\n'),
  )
  return 0
}

const KEPT = join(ROOT, '.workshop', 'mistakes')
