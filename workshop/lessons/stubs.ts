import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { notWritten } from '../../protocol/not-written.ts'
import { solutionsFolder, type Lesson } from './catalogue.ts'

/** A file of a lesson as the learner receives it. */
export type Stub = { name: string; text: string }

/** Makes the stubs of a lesson from its solution. */
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

/** Returns the names of the files that the learner of a lesson writes. */
export function solutionFiles(folder: string): string[] {
  return readdirSync(join(solutionsFolder, folder), { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .toSorted()
}

/**
 * Turns a solution into a stub. Each region with a name is replaced with a throw, each region with `=` is replaced with
 * the code after it, and each region without a name is removed.
 *
 * ```
 * // #region 1.1 createApp()          throw new Error('lesson 1, task 1.1: write createApp()')
 * …                            →
 * // #endregion
 *
 * // #region 1.1 = return null        return null
 * …                            →
 * // #endregion
 *
 * // #region 1.1                      (nothing: helpers that only the solution has)
 * …
 * // #endregion
 * ```
 *
 * In files whose comments begin with `#`, the markers are `# #region` and `# #endregion`, and a comment takes the place of
 * the `throw` statement.
 *
 * @throws Error with the line number if a region is not closed, not opened, nested, or belongs to another lesson
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
    if (name?.startsWith('= ')) kept.push(indentation + name.slice(2))
    // A configuration file cannot throw, so its stub says the same in a comment.
    else if (sentence && comment === '#') kept.push(`${indentation}# ${sentence}`)
    else if (sentence) kept.push(`${indentation}throw new Error('${sentence}')`)
  }
  if (opened !== undefined) throw new Error(`line ${opened}: #region without an #endregion`)
  return withoutSpareLines(kept.join('\n'))
}

/** Removes the blank lines that the formatter would remove, and ends the text with a single line feed. */
function withoutSpareLines(text: string): string {
  return `${text
    .replace(/\n{3,}/g, '\n\n')
    .replace(/\{\n\n/g, '{\n')
    .replace(/\n\n(\s*\})/g, '\n$1')
    .trim()}\n`
}
