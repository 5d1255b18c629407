import { cp, lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { visible } from '../../wire/visible.ts'
import { Sentence } from '../machine-problem.ts'
import { isRunning } from '../process/process-group.ts'
import { ROOT } from '../root.ts'

/** A folder with a copy of somebody's work, so that the original is never touched. */
export type Sandbox = {
  readonly folder: string
  /**
   * Replaces the contents by copies of files. If two sources have the same file, the later one wins.
   *
   * @param sources folders laid out like `lessons/`
   */
  fill(...sources: string[]): Promise<void>
  remove(): Promise<void>
}

/** Creates an empty sandbox. It is inside the workshop, so that the files in it can import the packages. */
export async function emptySandbox(): Promise<Sandbox> {
  await mkdir(SANDBOXES, { recursive: true })
  await removeAbandoned()
  const folder = await mkdtemp(join(SANDBOXES, `${process.pid}-`))
  return {
    folder,
    async fill(...sources) {
      for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true })
      for (const source of sources) {
        for (const lesson of await lessonFolders(source)) {
          await cp(join(source, lesson), join(folder, lesson), {
            recursive: true,
            filter: async (path) => isWork(path) && (await canBeCopied(path)),
          })
        }
      }
    },
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  }
}

/** Creates a sandbox and fills it. */
export async function filledSandbox(...sources: string[]): Promise<Sandbox> {
  const made = await emptySandbox()
  await made.fill(...sources)
  return made
}

/** More than any file of a lesson. A file with holes may claim to be larger than the disk. */
const MOST_BYTES = 10_000_000

const SANDBOXES = join(ROOT, '.workshop', 'sandboxes')

async function lessonFolders(work: string): Promise<string[]> {
  const entries = await readdir(work, { withFileTypes: true })
  return entries.filter((entry) => /^\d\d-/.test(entry.name)).map((entry) => entry.name)
}

/** Returns whether a file is part of the work. Excludes tsconfig.json, because it extends a file that the sandbox lacks. */
export function isWork(path: string): boolean {
  return !['node_modules', '.git', 'exhibit', 'tsconfig.json'].includes(basename(path))
}

/**
 * Returns whether a path is a file or a folder. A device or a pipe could be read without an end, and a link could lead to
 * the solution.
 *
 * @throws Sentence if the file is huge
 */
async function canBeCopied(path: string): Promise<boolean> {
  const stats = await lstat(path)
  if (stats.size > MOST_BYTES) {
    const most = `${MOST_BYTES / 1e6} MB`
    throw new Sentence(`${visible(path)} is larger than ${most}, so the work is not copied.`)
  }
  return stats.isFile() || stats.isDirectory()
}

/** Removes the sandboxes of processes that were killed. A sandbox's name begins with its process ID. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(SANDBOXES)) {
    if (isRunning(Number(name.split('-')[0]))) continue
    await rm(join(SANDBOXES, name), { recursive: true, force: true })
  }
}
