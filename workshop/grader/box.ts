import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ROOT } from '../root.ts'

/** A place for a copy of somebody's work, for one run: nothing that happens in it touches the original. */
export type Box = {
  readonly folder: string
  /**
   * Copies files into it, in place of what was there; where two sources have the same file, the later one wins.
   *
   * @param sources folders laid out like `lessons/`
   */
  fill(...sources: string[]): Promise<void>
  remove(): Promise<void>
}

/** An empty one. It is inside the workshop, so that the work finds the packages wherever it comes from. */
export async function emptyBox(): Promise<Box> {
  await mkdir(BOXES, { recursive: true })
  await removeAbandoned()
  const folder = await mkdtemp(join(BOXES, `${process.pid}-`))
  return {
    folder,
    async fill(...sources) {
      for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true })
      for (const source of sources) {
        for (const lesson of await lessonFolders(source)) {
          await cp(join(source, lesson), join(folder, lesson), { recursive: true, filter: isWork })
        }
      }
    },
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  }
}

/** One that is filled. */
export async function box(...sources: string[]): Promise<Box> {
  const made = await emptyBox()
  await made.fill(...sources)
  return made
}

const BOXES = join(ROOT, '.workshop', 'boxes')

async function lessonFolders(work: string): Promise<string[]> {
  const entries = await readdir(work, { withFileTypes: true })
  return entries.filter((entry) => /^\d\d-/.test(entry.name)).map((entry) => entry.name)
}

/** A tsconfig.json is for the learner's editor, and extends what is not where the box is. */
export function isWork(path: string): boolean {
  return !['node_modules', '.git', 'exhibit', 'tsconfig.json'].includes(basename(path))
}

/** A run that was killed leaves its box behind; the process id in its name tells whose it was. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(BOXES)) {
    if (isRunning(Number(name.split('-')[0]))) continue
    await rm(join(BOXES, name), { recursive: true, force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
