import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { structuredPatch } from 'diff'
import { lessonNumbered, solutionsFolder } from '../lessons/catalogue.ts'
import { checksOf, type CheckName } from '../lessons/checks.ts'
import { withoutRegions } from '../lessons/compare.ts'
import { filesOf, mistakesOf } from './mistakes.ts'

/**
 * Finds out which checks guard which lines of a solution's file. A check guards a line if a mistake that changes the
 * line makes the check fail.
 *
 * @returns a function that takes line numbers, from 1 and without the region markers, and returns the checks
 */
export function guardsOf(lesson: number, file: string): (lines: readonly number[]) => CheckName[] {
  const path = join(solutionsFolder, lessonNumbered(lesson)!.folder, file)
  const solution = withoutRegions(readFileSync(path, 'utf8'))
  const guards = mistakesOf(lesson)
    // A mistake in a variant says nothing about the lines of the solution.
    .filter(({ base, edits }) => !base && edits.has(file))
    .map((mistake) => ({
      check: mistake.fails,
      lines: changedLines(solution, withoutRegions(filesOf(mistake).get(file)!)),
    }))
  return (wanted) => {
    const found = guards.filter(({ lines }) => lines.some((line) => wanted.includes(line)))
    return checksOf(lesson).filter(({ id }) => found.some(({ check }) => check === id))
  }
}

/** Returns the numbers of the lines that are in `before` and not in `after`. */
function changedLines(before: string, after: string): number[] {
  const { hunks } = structuredPatch('', '', before, after, '', '', { context: 0 })
  return hunks.flatMap(({ oldStart, oldLines }) =>
    Array.from({ length: oldLines }, (_, n) => oldStart + n),
  )
}
