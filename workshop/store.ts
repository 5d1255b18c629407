import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from './root.ts'

/** The folder for everything that the workshop remembers between two runs. Git ignores it. */
export const storeFolder = join(ROOT, '.workshop')

/** Reads what was last written under that name. If the file is missing or broken, returns an empty object. */
export function readStore<T extends object>(name: string): Partial<T> {
  try {
    const value: unknown = JSON.parse(readFileSync(join(storeFolder, name), 'utf8'))
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

/** Replaces the file atomically: a reader sees the old file or the new one, but never half of it. */
export function writeStore(name: string, value: object): void {
  const file = join(storeFolder, name)
  mkdirSync(dirname(file), { recursive: true })
  const next = `${file}.${process.pid}`
  writeFileSync(next, `${JSON.stringify(value, null, 2)}\n`)
  renameSync(next, file)
}
