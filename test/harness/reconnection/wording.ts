/** Returns the IDs of entries or quakes, in order. */
export function idsOf(entries: readonly { id: string }[]): string[] {
  return entries.map(({ id }) => id)
}

/** Returns a list such as `a, b`, or `nothing` if there are no IDs. */
export function listed(ids: string[]): string {
  return ids.length === 0 ? 'nothing' : ids.join(', ')
}

/** Returns a count with its noun, such as `1 listener` or `2 listeners`. */
export function counted(count: number, what: string, many = `${what}s`): string {
  return `${count} ${count === 1 ? what : many}`
}

/** Returns a name with a capital letter, for the beginning of a sentence. */
export function capitalised(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}
