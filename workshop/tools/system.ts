import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import type { Command } from './external-tool.ts'

/** The path of a program that one could start by its name alone. */
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
