import { readdirSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

/** Returns the paths of all files in a folder, with `/`, in alphabetical order. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)).split(sep).join('/'))
    .toSorted()
}
