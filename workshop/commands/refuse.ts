/** Says why a command does nothing. Gives its exit code. */
export function refuse(why: string): number {
  console.error(why)
  return 2
}
