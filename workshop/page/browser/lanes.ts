import type { WireLog } from './wire-log.ts'

/** The hops in the order of their lanes: from the server, at the top, to the client. */
export function lanesOf(log: WireLog): string[] {
  const names = [...new Set(['server', 'client', ...log.hops])]
  const rank = (name: string): number => (name === 'server' ? 0 : name === 'client' ? 2 : 1)
  return names.toSorted((a, b) => rank(a) - rank(b))
}

/** Where the line of a lane is, as a part of the height: there is more above it than below. */
export function lineOf(lane: number, lanes: number): number {
  return (lane + 0.6) / lanes
}
