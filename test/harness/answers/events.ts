/** The text of the event for token number `n`. */
export function tokenEvent(n: number, token: string): string {
  return `id: ${n}\ndata: ${JSON.stringify(token)}\n\n`
}

/** The text of an event that ends an answer. */
export function endEvent(name: 'done' | 'error' | 'stopped', data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}
