import { createHash, randomInt } from 'node:crypto'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { foldersUsedBy, testFileOf } from '../lessons/checks.ts'
import type { Lesson } from '../lessons/catalogue.ts'
import { machineProblem } from '../machine-problem.ts'
import { readStore, storeFolder, writeStore } from '../store.ts'
import { nginx } from '../tools/proxies.ts'
import { redisServer } from '../tools/redis.ts'
import { ROOT } from '../root.ts'
import type { Grade } from './grade.ts'

// Stores grades between runs, so that an interrupted run can be continued. When a submission is late, only that
// submission has to be graded.

/** Deletes all stored grades and the seed. */
export function clearGrades(): void {
  rmSync(join(storeFolder, FOLDER), { recursive: true, force: true })
}

/** Returns the seed for all submissions, so that all get the same inputs. The seed changes only when the grades are cleared. */
export function classSeed(): number {
  const { seed } = readStore<{ seed: number }>(SEED)
  if (Number.isSafeInteger(seed)) return seed!
  const fresh = randomInt(1, 1_000_000)
  try {
    writeStore(SEED, { seed: fresh })
  } catch (error) {
    // On a full disk, the seed only holds for this run.
    if (!machineProblem(error)) throw error
  }
  return fresh
}

/** Returns the grade that is stored under a key, if any. */
export function cachedGrade(key: string): Grade | undefined {
  const { grade } = readStore<{ grade: Grade }>(fileOf(key))
  return grade && isLasting(grade) && Array.isArray(grade.checks) ? grade : undefined
}

/** Stores a grade, if it is lasting and the disk has room for it. */
export function cacheGrade(key: string, grade: Grade): void {
  if (!isLasting(grade)) return
  try {
    writeStore(fileOf(key), { grade })
  } catch (error) {
    if (!machineProblem(error)) throw error
  }
}

/**
 * Returns whether grading the same work again would give the same grade. Work may be stuck or end with an error only
 * because the machine was busy.
 */
function isLasting({ outcome }: Grade): boolean {
  return outcome === 'pass' || outcome === 'fail'
}

/**
 * Returns a key made from everything that a grade depends on: the submission, the seed, the checks and the code that the
 * checks use.
 *
 * @param work the hash of the submitted files
 */
export function keyOf(lesson: Lesson, work: string, seed: number): string {
  const known = versions.get(lesson.number) ?? versionOf(lesson)
  versions.set(lesson.number, known)
  return createHash('sha256').update(`${known} ${seed} ${work}`).digest('hex').slice(0, 32)
}

const versions = new Map<number, string>()

function versionOf({ number, folder }: Lesson): string {
  const hash = createHash('sha256')
  // Include `CI`, because a check that cannot be run does not count as passed there.
  const tools = [nginx, redisServer].map((tool) => tool.find()).join(' ')
  hash.update(`${process.version} ${process.platform} ${tools} ${process.env.CI}`)
  hash.update(readFileSync(testFileOf(number)))
  for (const room of [...ROOMS, join('solutions', folder), ...foldersUsedBy(number)]) {
    const files = readdirSync(join(ROOT, room), { recursive: true, withFileTypes: true })
    const paths = files
      .filter((file) => file.isFile())
      .map((file) => join(file.parentPath, file.name))
    for (const path of paths.toSorted()) hash.update(readFileSync(path))
  }
  hash.update(readFileSync(join(ROOT, 'package-lock.json')))
  return hash.digest('hex')
}

/** The folders that contain the grading code and the code that submissions import. */
const ROOMS = [
  join('test', 'harness'),
  join('workshop', 'grader'),
  join('workshop', 'class'),
  'feed',
  'protocol',
  'wire',
  'data',
]

const FOLDER = 'class'
const SEED = 'class/seed.json'

function fileOf(key: string): string {
  return `${FOLDER}/${key}.json`
}
