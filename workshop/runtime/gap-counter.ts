import { recordedQuakes, type Quake } from '#feed'

/** Counts the recorded quakes that a client has missed, and those that it has delivered twice. */
export type GapCounter = {
  readonly missed: number
  readonly twice: number
  add(id: string): void
}

/**
 * Creates a counter.
 *
 * @param options.perNetwork whether only the quakes of one network are in order, because each network is a source of its
 *   own
 */
export function gapCounter({ perNetwork = false } = {}): GapCounter {
  let missed = 0
  let twice = 0
  const last = new Map<string, number>()
  const seen = new Set<string>()
  return {
    get missed() {
      return missed
    },
    get twice() {
      return twice
    },
    add(id) {
      if (seen.has(id)) {
        twice += 1
        return
      }
      seen.add(id)
      const found = placeOf(id, perNetwork)
      if (!found) return
      const { line, number } = found
      const before = last.get(line)
      if (before !== undefined && number > before) missed += number - before - 1
      last.set(line, number)
    },
  }
}

/**
 * Returns the line in which a quake stands, which is its network or the whole replay, and its position in that line,
 * counted from 0. After the first lap, an ID ends with its lap's number.
 */
function placeOf(id: string, perNetwork: boolean): { line: string; number: number } | undefined {
  places ??= { ofAll: placesIn(() => 'all'), ofNetwork: placesIn(({ network }) => network) }
  const { lines, lengths } = perNetwork ? places.ofNetwork : places.ofAll
  const [, name = id, lap = '1'] = /^(.*)-(\d+)$/.exec(id) ?? []
  const found = lines.get(name)
  if (!found) return undefined
  const { line, index } = found
  return { line, number: (Number(lap) - 1) * lengths.get(line)! + index }
}

type Places = { lines: Map<string, { line: string; index: number }>; lengths: Map<string, number> }

let places: { ofAll: Places; ofNetwork: Places } | undefined

function placesIn(lineOf: (quake: Quake) => string): Places {
  const lengths = new Map<string, number>()
  const lines: Places['lines'] = new Map()
  for (const quake of recordedQuakes()) {
    const line = lineOf(quake)
    const index = lengths.get(line) ?? 0
    lines.set(quake.id, { line, index })
    lengths.set(line, index + 1)
  }
  return { lines, lengths }
}
