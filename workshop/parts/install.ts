import { basename } from 'node:path'
import { follow } from '../follow.ts'
import { look } from './look.ts'
import type { Part } from './part.ts'

/**
 * Installs a part, in sight of the reader; says what to type when that is not possible.
 *
 * @returns whether the part is there now, and runs
 */
export async function install(part: Part): Promise<boolean> {
  for (const { program, words } of part.install?.() ?? []) {
    console.log(`$ ${[basename(program), ...words].join(' ')}`)
    // apt-get asks questions otherwise.
    if (!(await follow(program, words, { DEBIAN_FRONTEND: 'noninteractive' }))) break
  }
  const seen = look(part)
  if ('path' in seen) {
    console.log(`${part.name}: installed ${seen.path}`)
    return true
  }
  console.error(`\nThe ${part.name}, for ${part.for}, is ${seen.problem}.\n${part.advice()}`)
  return false
}
