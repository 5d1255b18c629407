import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from './root.ts'

/** What the program remembers between two runs lies here, and git does not see it. */
export const storeFolder = join(ROOT, '.workshop')

/** What was written under that name. A file that is lost or broken is worth an empty one. */
export function readStore<T extends object>(name: string): Partial<T> {
  try {
    const value: unknown = JSON.parse(readFileSync(join(storeFolder, name), 'utf8'))
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

/** Replaces the file in one step: a reader sees the old one or the new one, never half of it. */
export function writeStore(name: string, value: object): void {
  const file = join(storeFolder, name)
  mkdirSync(dirname(file), { recursive: true })
  const next = `${file}.${process.pid}`
  writeFileSync(next, `${JSON.stringify(value, null, 2)}\n`)
  renameSync(next, file)
}
