import { join } from 'node:path'
import type { Sandbox } from '../grader/sandbox.ts'
import type { Work } from '../lessons/args.ts'
import { isInside } from '../is-inside.ts'
import { ROOT } from '../root.ts'

/** The folder in which a learner's lesson runs. */
export type RunDir = {
  /** Prepares the folder and returns its path. Call this before each run. */
  folder(): Promise<string>
  remove(): Promise<void>
}

/**
 * Returns where to run a lesson. Work inside the workshop runs in its own folder. Work from elsewhere cannot import the
 * packages and the feed, so each run gets a new copy of the work inside the workshop.
 *
 * @param path the path from the work's folder to the folder to run: `01-raw-chunks`
 */
export function runDirFor(work: Work, path: string): RunDir {
  if (isInside(ROOT, work.folder)) {
    return { folder: async () => join(work.folder, path), remove: async () => {} }
  }

  let sandbox: Sandbox | undefined
  return {
    async folder() {
      const { filledSandbox } = await import('../grader/sandbox.ts')
      await sandbox?.remove()
      sandbox = await filledSandbox(work.folder)
      return join(sandbox.folder, path)
    },
    remove: async () => sandbox?.remove(),
  }
}
