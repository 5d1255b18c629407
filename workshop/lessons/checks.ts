import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../root.ts'

/** A check as it is written in the lesson's test file. */
export type CheckName = {
  id: string
  rule: string
  /** Whether the check is an edge case, which is graded and counted, but is not needed to pass the lesson. */
  isEdgeCase: boolean
  needsNginx: boolean
}

/**
 * Reads all checks of a lesson, in diagnosis order, from its test file, because dishonest code could fake the list
 * that a run reports.
 */
export function checksOf(lesson: number): CheckName[] {
  const source = readFileSync(testFileOf(lesson), 'utf8')
  return [...source.matchAll(CHECK)].map(([, kind, id, , rule]) => ({
    id: id!,
    rule: rule!,
    isEdgeCase: kind === 'edgeCase',
    needsNginx: kind === 'nginxCheck',
  }))
}

export function hasChecks(lesson: number): boolean {
  return existsSync(testFileOf(lesson))
}

/**
 * Returns the folders outside the learner's work that the checks of a lesson use. A check that connects the learner's
 * program to another program takes the latter from the solution of another lesson. A check of measured figures runs the
 * exhibit that the learner has run.
 */
export function foldersUsedBy(lesson: number): string[] {
  const source = readFileSync(testFileOf(lesson), 'utf8')
  return [...new Set([...source.matchAll(IMPORT_OF_FOLDER)].map(([, folder]) => folder!))]
}

export function testFileOf(lesson: number): string {
  return join(ROOT, 'test', `lesson${lesson}.test.ts`)
}

/** Matches `from '../solutions/06-resume/client.ts'` and `from '../lessons/07-filtered-stream/exhibit/measure.ts'`. */
const IMPORT_OF_FOLDER =
  /^import .* from '\.\.\/(solutions\/\d\d-[a-z0-9-]+|lessons\/\d\d-[a-z0-9-]+\/exhibit)\//gm

/** Matches `check('1.2a', 'each quake …', …`, with any line breaks and quotes. */
const CHECK =
  /^(check|edgeCase|nginxCheck|nginxEdgeCase|processCheck)\(\s*'(\d+\.\d+[a-z])',\s*(['"])(.+)\3,/gm
