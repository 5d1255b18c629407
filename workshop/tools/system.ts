import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import type { Command } from './external-tool.ts'

/** Returns the path of a program on the PATH, or undefined if there is no such program. */
export function onPath(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/**
 * Returns the commands that install a package on Debian and its relatives. Returns undefined on other systems, and if the
 * commands would ask for a password.
 */
export function apt(name: string): Command[] | undefined {
  const program = onPath('apt-get')
  if (!program || process.getuid?.() !== 0) return undefined
  const update = hasUpdated ? [] : [{ program, args: ['update'] }]
  hasUpdated = true
  return [...update, { program, args: ['install', '-y', '--no-install-recommends', name] }]
}

/** Whether an earlier call has returned `apt-get update`, because one update is enough for all packages of a run. */
let hasUpdated = false
