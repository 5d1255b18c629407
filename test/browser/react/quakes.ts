/** Returns `count` quakes, each with its own ID and place. */
export function quakes(
  count: number,
  from = 0,
): { id: string; magnitude: number; place: string }[] {
  return Array.from({ length: count }, (_, n) => ({
    id: `q${from + n}`,
    magnitude: 1.5,
    place: `place ${from + n}`,
  }))
}

/** Encodes quakes as server-sent events. */
export function events(of: readonly object[], name?: string): string {
  const field = name === undefined ? '' : `event: ${name}\n`
  return of.map((quake) => `${field}data: ${JSON.stringify(quake)}\n\n`).join('')
}
