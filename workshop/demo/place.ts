import { join, relative } from 'node:path'
import type { Box } from '../grader/box.ts'
import type { Work } from '../lessons/words.ts'
import { ROOT } from '../root.ts'

/** Where a lesson of somebody's work can be run. */
export type Place = {
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
export function placeToRun(work: Work, path: string): Place {
  const isInside = !relative(ROOT, work.folder).startsWith('..')
  if (isInside) return { folder: async () => join(work.folder, path), remove: async () => {} }

  let box: Box | undefined
  return {
    async folder() {
      const { box: copy } = await import('../grader/box.ts')
      await box?.remove()
      box = await copy(work.folder)
      return join(box.folder, path)
    },
    remove: async () => box?.remove(),
  }
}
