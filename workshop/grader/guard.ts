import { isAbsolute, join, relative, sep } from 'node:path'
import type { Plugin } from 'vite'
import { ROOT } from '../root.ts'

/**
 * Finds `#work/…` in the box, and keeps the work to what a lesson may import: its own files, `#feed`, Node
 * and the packages. Someone who imports the solution learns nothing, and gets told so.
 */
export function guard(box: string): Plugin {
  return {
    name: 'work',
    enforce: 'pre',
    async resolveId(source, importer, options) {
      if (importer === undefined || !isInside(box, importer)) {
        return source.startsWith('#work/') ? join(box, source.slice('#work/'.length)) : null
      }
      if (GRADERS.test(source)) {
        throw new Error(`a lesson may not import "${source}": that is the grader's own`)
      }
      const found = await this.resolve(source, importer, { ...options, skipSelf: true })
      if (found && isAbsolute(found.id) && !mayImport(found.id, box)) {
        throw new Error(
          `a lesson may import its own files, "#feed", Node and packages, not "${source}"`,
        )
      }
      return found
    },
  }
}

const GRADERS = /^(vitest|@vitest\/.*|chai)(\/|$)/

function mayImport(file: string, box: string): boolean {
  return [box, join(ROOT, 'feed'), join(ROOT, 'node_modules')].some((room) => isInside(room, file))
}

function isInside(folder: string, file: string): boolean {
  const path = relative(folder, file)
  return path !== '' && !isAbsolute(path) && path !== '..' && !path.startsWith(`..${sep}`)
}
