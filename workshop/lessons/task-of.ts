/** Returns the task of a check: `1.2` for `1.2a`. */
export function taskOf(check: string): string {
  return check.replace(/[a-z]+$/, '')
}
