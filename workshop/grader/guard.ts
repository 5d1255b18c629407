import { realpathSync } from 'node:fs'
import { basename, isAbsolute, join, relative } from 'node:path'
import type { Plugin } from 'vite'
import { isInside } from '../is-inside.ts'
import { ROOT } from '../root.ts'
import { readImports } from './imports.ts'

/** Plugins that restrict what a run may load. */
export type Guard = {
  readonly plugins: Plugin[]
  /** The places where the learner's files wait outside any function: `server.ts:3`. Empty at the beginning of each run. */
  readonly topLevelAwaits: string[]
}

/**
 * Resolves `#work/…` to files in the sandbox, and restricts a run to the files that belong to it: the learner's
 * files, what they may import, and the checks. Throws an error with a message for the learner if a file imports anything
 * else, such as the solution. Each of the learner's files locks what the checks rely on before its own code runs.
 *
 * @param used the other folders that the checks use, such as `solutions/06-resume`
 * @param lock the file that locks it
 */
export function guard(
  sandbox: string,
  used: readonly string[],
  lock = join(ROOT, 'test/harness/lock.ts'),
): Guard {
  const ours = ['feed', 'protocol', 'wire', 'node_modules', 'test/harness', ...used].map((room) =>
    join(ROOT, room),
  )
  const rooms = [realpathSync(sandbox), sandbox, ...ours]
  const topLevelAwaits: string[] = []
  const read = new Set<string>()
  const work: Plugin = {
    name: 'work',
    enforce: 'pre',
    resolveId(source) {
      if (source === LOCK) return lock
      if (!source.startsWith('#work/')) return null
      return join(sandbox, source.slice('#work/'.length))
    },
    load(id) {
      const file = id.replace(/[?#].*$/, '')
      const isTest = /^test[\\/]lesson\d+\.test\.ts$/.test(relative(ROOT, file))
      if (!isAbsolute(file) || isTest || rooms.some((room) => isInside(room, file))) return null
      throw new Error(`a lesson may not import ${relative(ROOT, file)}`)
    },
    transform(code, id) {
      const file = id.replace(/[?#].*$/, '')
      if (!isInside(sandbox, file)) return null
      const imports = readImports(file, code, lessonFolderOf(sandbox, file))
      if (!imports) return null
      read.add(id)
      const { refusal, topLevelAwait } = imports
      if (refusal) throw new Error(`${basename(file)}:${refusal.line}: ${refusal.why}`)
      if (topLevelAwait !== undefined) topLevelAwaits.push(`${basename(file)}:${topLevelAwait}`)
      // At the end, so that no line moves. An import runs before the code of the file, wherever it stands.
      return { code: `${code}\nimport '${LOCK}'`, map: null }
    },
  }
  const last: Plugin = {
    name: 'work, read',
    enforce: 'post',
    // Vite reports a syntax error before this. If it accepts a file that could not be read above, refuse the file.
    transform(_code, id) {
      const isCode = /\.[cm]?[jt]sx?$/.test(id.replace(/[?#].*$/, ''))
      if (isInside(sandbox, id) && isCode && !read.has(id))
        throw new Error(`${basename(id)} cannot be read`)
    },
  }
  return { plugins: [work, last], topLevelAwaits }
}

/** Returns the lesson's folder in the sandbox to which a file belongs. */
function lessonFolderOf(sandbox: string, file: string): string {
  return join(sandbox, relative(sandbox, file).split(/[\\/]/, 1)[0]!)
}

const LOCK = '#lock'
