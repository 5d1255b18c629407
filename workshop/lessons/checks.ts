import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../root.ts'

/** A check as it stands in the lesson's test file. */
export type CheckName = {
  id: string
  rule: string
  /** A lesson is passed without it. */
  isEdgeCase: boolean
  needsNginx: boolean
}

/** Every check of the lesson, in diagnosis order: read from the source, for a run may tell what it likes. */
export function checksOf(lesson: number): CheckName[] {
  const source = readFileSync(testFileOf(lesson), 'utf8')
  return [...source.matchAll(CHECK)].map(([, kind, id, , rule]) => ({
    id: id!,
    rule: rule!,
    isEdgeCase: kind === 'edgeCase' || kind === 'nginxEdgeCase',
    needsNginx: kind === 'nginxCheck' || kind === 'nginxEdgeCase',
  }))
}

export function hasChecks(lesson: number): boolean {
  return existsSync(testFileOf(lesson))
}

export function testFileOf(lesson: number): string {
  return join(ROOT, 'test', `lesson${lesson}.test.ts`)
}

/** `check('1.2a', 'each quake …', …`, however the formatter breaks and quotes it. */
const CHECK = /^(check|edgeCase|nginxCheck|nginxEdgeCase)\(\s*'(\d+\.\d+[a-z])',\s*(['"])(.+)\3,/gm
