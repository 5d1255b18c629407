import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../root.ts'

/** Returns the address from which people clone the workshop, which is the `repository` in package.json. */
export function cloneAddress(): string {
  const { repository } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    repository: { url: string }
  }
  return repository.url
}

/** Returns the commands that clone the workshop into a folder and enter this folder. */
export function cloning(): string {
  return `git clone ${cloneAddress()} streaming\ncd streaming\n`
}
