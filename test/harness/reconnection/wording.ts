/** Returns the IDs of entries or quakes, in order. */
export function idsOf(entries: readonly { id: string }[]): string[] {
  return entries.map(({ id }) => id)
}

/** `a, b`, or `nothing`. */
export function listed(ids: string[]): string {
  return ids.length === 0 ? 'nothing' : ids.join(', ')
}

/** `1 listener`, `2 listeners`. */
export function counted(count: number, what: string, many = `${what}s`): string {
  return `${count} ${count === 1 ? what : many}`
}
