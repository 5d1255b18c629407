import { isAbsolute, join, relative } from 'node:path'
import type { Plugin } from 'vite'
import { isInside } from '../is-inside.ts'
import { ROOT } from '../root.ts'

/**
 * Resolves `#work/…` to the sandbox, and restricts a run to its own files: the work, the modules that it may import
 * (`#feed`, Node and the packages), and the checks. Importing the solution is an error that says so.
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
    // Vitest resolves its own modules before it asks a plugin.
    transform(code, id) {
      const [, name] = (isInside(sandbox, id) && IMPORT_OF_GRADER.exec(code)) || []
      if (name) throw new Error(`a lesson may not import "${name}": that is what grades it`)
    },
  }
}

const IMPORT_OF_GRADER = /\b(?:from|import)\s*\(?\s*['"](vitest|@vitest\/[^'"]*|chai)['"]/
