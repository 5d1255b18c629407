import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from './root.ts'

/** The folder for everything that the workshop remembers between two runs. Git ignores it. */
export const storeFolder = join(ROOT, '.workshop')

/** Reads the object that was last written under a name. If the file is missing or broken, returns an empty object. */
export function readStore<T extends object>(name: string): Partial<T> {
  try {
    const value: unknown = JSON.parse(readFileSync(join(storeFolder, name), 'utf8'))
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

/** Replaces a file atomically, so that readers see the old file or the new one, but never an incomplete file. */
export function writeStore(name: string, value: object): void {
  const file = join(storeFolder, name)
  mkdirSync(dirname(file), { recursive: true })
  const next = `${file}.${process.pid}`
  try {
    writeFileSync(next, `${JSON.stringify(value, null, 2)}\n`)
    renameSync(next, file)
  } catch (error) {
    // On a full disk, the file may exist, but without its content.
    rmSync(next, { force: true })
    throw error
  }
}
