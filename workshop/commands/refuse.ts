/** Prints why a command cannot run, and returns its exit code. */
export function refuse(why: string): number {
  console.error(why)
  return 2
}
