import { createHash } from 'node:crypto'
import { lstat, mkdir, opendir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { emptySandbox, isWork, type Sandbox } from '../grader/sandbox.ts'
import type { Lesson } from '../lessons/catalogue.ts'
import { stubsOf } from '../lessons/stubs.ts'
import { withoutControls } from './people.ts'

/** The files that somebody handed in for one lesson. */
export type Submission = {
  lesson: Lesson
  /** By their path in the lesson's folder, with `/`. */
  files: Map<string, Buffer>
  /** What was not taken, and why, as in a sentence: `server.ts is a link`. */
  leftOut: string[]
}

/** The work is of a size that no learner writes. */
class TooMuch extends Error {}

/**
 * Reads what is handed in for a lesson. It takes regular files and nothing else, and trusts neither their number
 * nor their size.
 *
 * @param folder of the person, laid out like `lessons/`
 * @throws when there are too many files
 */
export async function readSubmission(folder: string, lesson: Lesson): Promise<Submission> {
  const submission: Submission = { lesson, files: new Map(), leftOut: [] }
  let entries = 0

  async function take(path: string): Promise<void> {
    const file = join(folder, lesson.folder, path)
    if (!isWork(file)) return
    entries += 1
    if (entries > MOST_FILES) {
      throw new TooMuch(`${lesson.folder} has more than ${MOST_FILES} files`)
    }
    const why = await takeInto(submission.files, path, file, take)
    if (why) submission.leftOut.push(`${withoutControls(path || lesson.folder)} ${why}`)
  }

  await take('')
  return submission
}

/** @returns why it was not taken */
async function takeInto(
  files: Submission['files'],
  path: string,
  file: string,
  take: (path: string) => Promise<void>,
): Promise<string | undefined> {
  // A name that is no UTF-8 cannot be opened by what we read of it.
  if (/[\p{Cc}�]/u.test(path)) return 'has a name that no program should have'
  try {
    const stats = await lstat(file)
    if (stats.isDirectory()) {
      for await (const { name } of await opendir(file)) await take(path ? `${path}/${name}` : name)
      return undefined
    }
    if (stats.isSymbolicLink()) return 'is a link'
    if (!stats.isFile()) return 'is neither a file nor a folder'
    if (stats.size > MOST_BYTES) return `is larger than ${MOST_BYTES / 1e6} MB`
    files.set(path, await readFile(file))
    return undefined
  } catch (error) {
    if (error instanceof TooMuch) throw error
    return `cannot be read (${(error as NodeJS.ErrnoException).code})`
  }
}

const MOST_FILES = 200
const MOST_BYTES = 1_000_000

/** The same for the same files, whoever handed them in. */
export function hashOf({ files }: Submission): string {
  const hash = createHash('sha256')
  for (const [path, bytes] of [...files].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${JSON.stringify(path)} ${bytes.length}\n`).update(bytes)
  }
  return hash.digest('hex')
}

/** Nobody has written anything: every file is as the lesson has it, or is missing. */
export function isUntouched({ lesson, files }: Submission): boolean {
  return stubsOf(lesson).every(({ name, text }) => (files.get(name) ?? text).toString() === text)
}

/** A copy to be graded. What is missing in it is not written yet: it comes from the stubs. */
export async function sandboxOf({ lesson, files }: Submission): Promise<Sandbox> {
  const sandbox = await emptySandbox()
  const write = async (path: string, content: Buffer | string): Promise<void> => {
    const file = join(sandbox.folder, lesson.folder, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content, { flag: 'wx' })
  }
  for (const [path, bytes] of files) await write(path, bytes)
  for (const { name, text } of stubsOf(lesson)) {
    // It may be there as a folder; that cannot be loaded, and the grader says so.
    await write(name, text).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
  return sandbox
}
