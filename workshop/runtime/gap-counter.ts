import { recordedQuakes } from '#feed'

/** Counts the recorded quakes that a client has missed, and those that it has delivered twice. */
export type GapCounter = {
  readonly missed: number
  readonly twice: number
  add(id: string): void
}

export function gapCounter(): GapCounter {
  let missed = 0
  let twice = 0
  let last: number | undefined
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
      const number = numberOf(id)
      if (number === undefined) return
      if (last !== undefined && number > last) missed += number - last - 1
      last = number
    },
  }
}

/** Returns the position of a quake in the replay, counted from 0. After the first lap, an ID ends with its lap's number. */
function numberOf(id: string): number | undefined {
  indices ??= new Map(recordedQuakes().map((quake, n) => [quake.id, n]))
  const [, name = id, lap = '1'] = /^(.*)-(\d+)$/.exec(id) ?? []
  const index = indices.get(name)
  return index === undefined ? undefined : (Number(lap) - 1) * indices.size + index
}

let indices: Map<string, number> | undefined
