import { legible } from '../../wire/visible.ts'

/** Prints why a command cannot run, and returns its exit code. */
export function refuse(why: string): number {
  console.error(legible(why))
  return 2
}
