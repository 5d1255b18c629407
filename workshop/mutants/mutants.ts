import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Instrumenter } from '@stryker-mutator/instrumenter'
import { solutionsFolder, type Lesson } from '../lessons/catalogue.ts'
import { solutionFiles } from '../lessons/stubs.ts'

/** A solution in which a tool has changed one expression or statement. */
export type Mutant = {
  /** The file's name in the lesson's folder: `server.ts`. */
  file: string
  /** The line at which the change begins, counted from 1. */
  line: number
  /** The task whose region has been changed. */
  task: string
  /** The changed code in one line, as it was and as it is now, see `told()`. */
  before: string
  after: string
  /** The whole file with the change. */
  text: string
}

/**
 * Makes every mutant of a lesson's solution with the mutators of Stryker. Only the learner's part is changed, because
 * the code outside the regions is in the stubs.
 */
export async function mutantsOf({ folder }: Pick<Lesson, 'folder'>): Promise<Mutant[]> {
  const sources = solutionFiles(folder)
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => ({ name, content: readFileSync(join(solutionsFolder, folder, name), 'utf8') }))
  const regions = new Map(sources.map(({ name, content }) => [name, regionsOf(content)]))
  const { mutants } = await new Instrumenter(SILENT).instrument(
    sources.map((source) => ({ ...source, mutate: regions.get(source.name)! })),
    { plugins: null, excludedMutations: [], ignorers: [] },
  )
  const texts = new Map(sources.map(({ name, content }) => [name, content]))
  return mutants.map(({ fileName, location: { start, end }, replacement: printed }) => {
    const text = texts.get(fileName)!
    // Stryker prints comments again, even the marker that ends a region.
    const replacement = printed.replaceAll(/^\s*\/\/.*$/gm, '')
    const [from, to] = [offsetOf(start, text), offsetOf(end, text)]
    const [first, last] = [text.lastIndexOf('\n', from - 1) + 1, endOfLine(to, text)]
    return {
      file: fileName,
      line: start.line + 1,
      task: regions.get(fileName)!.find((region) => region.end.line > start.line)!.task,
      before: told(text.slice(first, last)),
      after: told(text.slice(first, from) + replacement + text.slice(to, last)),
      text: text.slice(0, from) + replacement + text.slice(to),
    }
  })
}

/** A place in a text. Stryker counts lines and columns from 0. */
type Place = { line: number; column: number }

type Region = { task: string; start: Place; end: Place }

/** Returns the regions of a solution in order, see `workshop/lessons/stubs.ts`. */
function regionsOf(text: string): Region[] {
  const lines = text.split('\n')
  return lines.flatMap((line, n) => {
    const [, task] = /^\s*\/\/ #region (\d+\.\d+)/.exec(line) ?? []
    const end = lines.findIndex((other, at) => at > n && /^\s*\/\/ #endregion/.test(other))
    return task ? [{ task, start: { line: n, column: 0 }, end: { line: end, column: 0 } }] : []
  })
}

function offsetOf({ line, column }: Place, text: string): number {
  const before = text.split('\n').slice(0, line)
  return before.reduce((sum, { length }) => sum + length + 1, column)
}

function endOfLine(from: number, text: string): number {
  const end = text.indexOf('\n', from)
  return end === -1 ? text.length : end
}

/** Tells code in one line: `try { ⏎ … ⏎ }`. Leaves out comments, and all lines between the first and the last. */
function told(code: string): string {
  const lines = code
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('//'))
  return [
    ...lines.slice(0, 1),
    ...(lines.length > 2 ? ['…'] : []),
    ...lines.slice(1).slice(-1),
  ].join(' ⏎ ')
}

function nothing(): void {}

function no(): boolean {
  return false
}

/** A logger that logs nothing. */
const SILENT = {
  isTraceEnabled: no,
  isDebugEnabled: no,
  isInfoEnabled: no,
  isWarnEnabled: no,
  isErrorEnabled: no,
  isFatalEnabled: no,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
}
