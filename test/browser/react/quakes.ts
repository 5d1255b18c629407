/** As many quakes, each with an id and a place of its own. */
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

/** Their events, one after another. */
export function events(of: readonly object[], name?: string): string {
  const field = name === undefined ? '' : `event: ${name}\n`
  return of.map((quake) => `${field}data: ${JSON.stringify(quake)}\n\n`).join('')
}
