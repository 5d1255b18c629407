import { join } from 'node:path'
import type { Sandbox } from '../grader/sandbox.ts'
import type { Work } from '../lessons/args.ts'
import { isInside } from '../is-inside.ts'
import { ROOT } from '../root.ts'

/** Where a lesson of somebody's work can be run. */
export type RunDir = {
  /** The folder, made ready; asked before each run. */
  folder(): Promise<string>
  remove(): Promise<void>
}

/**
 * Work inside the workshop runs where it is. Work from elsewhere has no packages and no feed there, so it
 * runs from a copy inside, a new one each time.
 *
 * @param path from the work's folder to the one that runs: `01-raw-chunks`
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
