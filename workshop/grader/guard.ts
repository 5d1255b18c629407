import { isAbsolute, join, relative } from 'node:path'
import type { Plugin } from 'vite'
import { isInside } from '../is-inside.ts'
import { ROOT } from '../root.ts'

/**
 * Returns a plugin that resolves `#work/…` to the sandbox and refuses to load any file that does not belong to the run:
 * the work, its permitted imports (`#feed`, Node and the packages), and the checks. Importing the solution is an error,
 * because it would teach nothing.
 */
export function guard(sandbox: string): Plugin {
  const ours = ['feed', 'protocol', 'wire', 'node_modules', 'test/harness'].map((room) =>
    join(ROOT, room),
  )
  const rooms = [sandbox, ...ours]
  return {
    name: 'work',
    enforce: 'pre',
    resolveId(source) {
      return source.startsWith('#work/') ? join(sandbox, source.slice('#work/'.length)) : null
    },
    load(id) {
      const file = id.replace(/[?#].*$/, '')
      const isTest = /^test[\\/]lesson\d+\.test\.ts$/.test(relative(ROOT, file))
      if (!isAbsolute(file) || isTest || rooms.some((room) => isInside(room, file))) return null
      throw new Error(
        `a lesson may import its own files, "#feed", Node and packages, not ${relative(ROOT, file)}`,
      )
    },
    // Vitest resolves imports of itself without asking any plugin, so look for them in the source.
    transform(code, id) {
      const [, name] = (isInside(sandbox, id) && IMPORT_OF_GRADER.exec(code)) || []
      if (name) throw new Error(`a lesson may not import "${name}", which grades lessons`)
    },
  }
}

const IMPORT_OF_GRADER = /\b(?:from|import)\s*\(?\s*['"](vitest|@vitest\/[^'"]*|chai)['"]/
