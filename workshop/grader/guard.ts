import { isAbsolute, join, relative } from 'node:path'
import type { Plugin } from 'vite'
import { isInside } from '../is-inside.ts'
import { ROOT } from '../root.ts'

/**
 * Resolves `#work/…` to files in the sandbox, and restricts a run to the files that belong to it: the learner's
 * files, the modules that they may import (`#feed`, Node and the packages), and the checks. Throws an error with a
 * message for the learner if a file imports anything else, such as the solution.
 *
 * @param used the other folders that the checks use, such as `solutions/06-resume`
 */
export function guard(sandbox: string, used: readonly string[]): Plugin {
  const ours = ['feed', 'protocol', 'wire', 'node_modules', 'test/harness', ...used].map((room) =>
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
    // Vitest resolves imports of "vitest" without asking any plugin, so look for such imports in the source.
    transform(code, id) {
      const [, name] = (isInside(sandbox, id) && IMPORT_OF_GRADER.exec(code)) || []
      if (name) throw new Error(`a lesson may not import "${name}", which grades lessons`)
    },
  }
}

const IMPORT_OF_GRADER = /\b(?:from|import)\s*\(?\s*['"](vitest|@vitest\/[^'"]*|chai)['"]/
