import { createHash } from 'node:crypto'
import { lstat, mkdir, opendir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { visible } from '../../wire/visible.ts'
import { emptySandbox, isWork, type Sandbox } from '../grader/sandbox.ts'
import type { Lesson } from '../lessons/catalogue.ts'
import { stubsOf } from '../lessons/stubs.ts'
import { Sentence } from '../machine-problem.ts'

/** The files that one person handed in for one lesson. */
export type Submission = {
  lesson: Lesson
  /** The contents by path. Paths are relative to the lesson's folder, with `/`. */
  files: Map<string, Buffer>
  /** The files that were left out, with the reasons: `server.ts is a link`. */
  leftOut: string[]
}

/** Thrown if a submission is larger than anything that a learner would write. */
class TooMuch extends Sentence {}

/**
 * Reads the files that were handed in for a lesson. Accepts only regular files, and limits their number and size.
 *
 * @param folder the person's folder, laid out like `lessons/`
 * @throws TooMuch if there are too many files
 */
export async function readSubmission(folder: string, lesson: Lesson): Promise<Submission> {
  const submission: Submission = { lesson, files: new Map(), leftOut: [] }
  let entries = 0

  async function take(path: string): Promise<void> {
    const file = join(folder, lesson.folder, path)
    if (!isWork(file)) return
    entries += 1
    if (entries > MOST_FILES) {
      throw new TooMuch(`${lesson.folder} has more than ${MOST_FILES} files.`)
    }
    const why = await takeInto(submission.files, path, file, take)
    if (why) submission.leftOut.push(`${visible(path || lesson.folder)} ${why}`)
  }

  await take('')
  return submission
}

/** Reads a file, or all files of a folder, into `files`. If it leaves something out, returns the reason. */
async function takeInto(
  files: Submission['files'],
  path: string,
  file: string,
  take: (path: string) => Promise<void>,
): Promise<string | undefined> {
  // If a file's name is not valid UTF-8, the file cannot be opened by the name that Node returns.
  if (/[\p{Cc}�]/u.test(path)) return 'has a name with invalid characters'
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

/** The limits of one lesson. */
export const MOST_FILES = 200
export const MOST_BYTES = 1_000_000

/** Returns a hash of the files that does not depend on the person. */
export function hashOf({ files }: Submission): string {
  const hash = createHash('sha256')
  for (const [path, bytes] of [...files].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${JSON.stringify(path)} ${bytes.length}\n`).update(bytes)
  }
  return hash.digest('hex')
}

/** Returns whether nothing has been written yet, because every file is missing or still the stub. */
export function isUntouched({ lesson, files }: Submission): boolean {
  return stubsOf(lesson).every(({ name, text }) => (files.get(name) ?? text).toString() === text)
}

/** Returns a copy to grade. Missing files count as not written, so the copy has their stubs. */
export async function sandboxOf({ lesson, files }: Submission): Promise<Sandbox> {
  const sandbox = await emptySandbox()
  const write = async (path: string, content: Buffer | string): Promise<void> => {
    const file = join(sandbox.folder, lesson.folder, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content, { flag: 'wx' })
  }
  for (const [path, bytes] of files) await write(path, bytes)
  for (const { name, text } of stubsOf(lesson)) {
    // If a folder has the file's name, keep the folder, because the grader reports that the file cannot be loaded.
    await write(name, text).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
  return sandbox
}
