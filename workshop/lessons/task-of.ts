/** The task that a check grades part of: `1.2` of `1.2a`. */
export function taskOf(check: string): string {
  return check.replace(/[a-z]+$/, '')
}
