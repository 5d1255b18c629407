import process from 'node:process'
import { onPath } from './on-path.ts'
import type { Command } from './external-tool.ts'

/** How Debian and its relatives install a package. Undefined elsewhere, and for those it would ask for a password. */
export function apt(name: string): Command[] | undefined {
  const program = onPath('apt-get')
  if (!program || process.getuid?.() !== 0) return undefined
  const update = hasUpdated ? [] : [{ program, args: ['update'] }]
  hasUpdated = true
  return [...update, { program, args: ['install', '-y', '--no-install-recommends', name] }]
}

/** Once is enough for all that is installed in one go. */
let hasUpdated = false
