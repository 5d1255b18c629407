import type { WireLog } from './wire-log.ts'

/**
 * The hops in the order of their lanes: from the server, at the top, to the client. The workshop has one while what
 * it answered itself is in sight.
 *
 * @param part in seconds
 */
export function lanesOf(log: WireLog, part: { from: number; to: number }): string[] {
  const others = log.hops.filter((name) =>
    name === 'workshop'
      ? log.isSeen(name, part.from * 1000, part.to * 1000)
      : log.isSeen(name, 0, Infinity),
  )
  const names = [...new Set(['server', 'client', ...others])]
  const rank = (name: string): number => (name === 'server' ? 0 : name === 'client' ? 2 : 1)
  return names.toSorted((a, b) => rank(a) - rank(b))
}

/** Where the line of a lane is, as a part of the height: there is more above it than below. */
export function lineOf(lane: number, lanes: number): number {
  return (lane + 0.6) / lanes
}
