import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { notWritten } from '../../protocol/not-written.ts'
import { solutionsFolder, type Lesson } from './catalogue.ts'

/** A file of a lesson as its learner gets it. */
export type Stub = { name: string; text: string }

/** The stubs of a lesson, made from its solution. */
export function stubsOf({ folder, number }: Pick<Lesson, 'folder' | 'number'>): Stub[] {
  const solution = join(solutionsFolder, folder)
  return solutionFiles(folder).map((name) => {
    try {
      return { name, text: makeStub(readFileSync(join(solution, name), 'utf8'), number) }
    } catch (error) {
      throw new Error(`solutions/${folder}/${name}, ${(error as Error).message}`, { cause: error })
    }
  })
}

/** The files of a lesson that its learner writes. */
export function solutionFiles(folder: string): string[] {
  return readdirSync(join(solutionsFolder, folder), { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .toSorted()
}

/**
 * The stub of a solution: each region with a name becomes one throw, and a region without one goes.
 *
 * ```
 * // #region 1.1 createApp()          throw new Error('lesson 1, task 1.1: write createApp()')
 * …                            →
 * // #endregion
 *
 * // #region 1.1                      (nothing: helpers that only the solution has)
 * …
 * // #endregion
 * ```
 *
 * Where `#` begins a comment, the marks are `# #region` and `# #endregion`, and the sentence is a comment.
 *
 * @throws when a region is not closed, not opened, lies in another, or is of another lesson: with its line
 */
export function makeStub(source: string, lesson: number): string {
  const kept: string[] = []
  let opened: number | undefined

  for (const [index, line] of source.split('\n').entries()) {
    const at = `line ${index + 1}`
    const mark = /^(\s*)(\/\/|#) #(region|endregion)\b\s*(.*)$/.exec(line)
    if (!mark) {
      if (opened === undefined) kept.push(line)
      continue
    }
    const [, indentation = '', comment, kind, rest = ''] = mark
    if (kind === 'endregion') {
      if (opened === undefined) throw new Error(`${at}: #endregion without a #region before it`)
      opened = undefined
      continue
    }
    if (opened !== undefined) throw new Error(`${at}: #region inside the one of line ${opened}`)
    const [, task, name] = /^(\d+\.\d+)(?: (\S.*))?$/.exec(rest.trim()) ?? []
    if (task === undefined) {
      throw new Error(
        `${at}: #region needs a task and perhaps a name, as "1.1 createApp()", got "${rest}"`,
      )
    }
    if (Number.parseInt(task) !== lesson)
      throw new Error(`${at}: task ${task} is not of lesson ${lesson}`)
    if (name?.includes("'")) throw new Error(`${at}: a name has no quotes, got ${name}`)
    opened = index + 1
    const sentence = name && notWritten(task, name)
    // What is no program throws nothing. It says the same.
    if (sentence && comment === '#') kept.push(`${indentation}# ${sentence}`)
    else if (sentence) kept.push(`${indentation}throw new Error('${sentence}')`)
  }
  if (opened !== undefined) throw new Error(`line ${opened}: #region without an #endregion`)
  return withoutSpareLines(kept.join('\n'))
}

/** As the formatter leaves it: no two blank lines, none at the edges of a block, one line end at the end. */
function withoutSpareLines(text: string): string {
  return `${text
    .replace(/\n{3,}/g, '\n\n')
    .replace(/\{\n\n/g, '{\n')
    .replace(/\n\n(\s*\})/g, '\n$1')
    .trim()}\n`
}
