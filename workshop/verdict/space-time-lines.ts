import type { SpaceTimeEvent } from '../../protocol/space-time.ts'
import type { Paint } from '../terminal/colour.ts'
import { truncate } from '../terminal/text.ts'
import type { ShownPicture } from './space-time.ts'

/**
 * Draws a picture as text: the lanes on the left, and what happened on the right. Returns undefined if the width leaves too
 * little room for that.
 */
export function spaceTimeLines(
  { parties, before, yours, reference }: ShownPicture,
  width: number,
  paint: Paint,
): string[] | undefined {
  const lanes = lanesOf(parties)
  const room = width - lanes.width - GAP.length
  if (room < NARROWEST) return undefined
  const quiet = (text: string): string => paint('quiet', text)
  const line = (event: SpaceTimeEvent): string => {
    const drawn = drawEvent(event, lanes).replaceAll('│', quiet('│'))
    return `${drawn}${GAP}${truncate(describeEnding(event), room)}`
  }
  const part = (title: string, events: readonly SpaceTimeEvent[]): string[] =>
    events.length === 0 ? [] : [quiet(title), ...events.map(line)]
  return [
    quiet(lanes.names),
    ...before.map(line),
    ...part('yours', yours),
    ...part('reference', reference),
  ]
}

const GAP = '  '

/** The smallest width of the texts beside the lanes, in columns. */
const NARROWEST = 28

/** Returns the label of an event, with a word for a message that did not arrive. */
function describeEnding({ label, lost, held }: SpaceTimeEvent): string {
  if (lost) return `${label} (lost)`
  return held ? `${label} (held)` : label
}

type Lanes = { names: string; width: number; middleOf(party: string): number; middles: number[] }

function lanesOf(parties: readonly string[]): Lanes {
  const middles: number[] = []
  let names = ''
  for (const name of parties) {
    const before = names === '' ? '' : '   '
    middles.push(names.length + before.length + Math.floor(name.length / 2))
    names += before + name
  }
  return {
    names,
    width: names.length,
    middles,
    middleOf: (party) => middles[parties.indexOf(party)]!,
  }
}

/** Draws the lanes, with a dot where something happened, or an arrow from lane to lane. */
function drawEvent(
  { at, to, lost, held }: SpaceTimeEvent,
  { width, middles, middleOf }: Lanes,
): string {
  const columns = Array.from({ length: width }, (_, n): string => (middles.includes(n) ? '│' : ' '))
  if (at === undefined) return columns.join('')
  const from = middleOf(at)
  if (to === undefined) return columns.with(from, '●').join('')
  const end = middleOf(to)
  const step = end > from ? 1 : -1
  // A message that did not arrive ends in the middle of its way.
  const head = lost || held ? Math.round((from + end) / 2) : end - step
  for (let n = from + step; n !== head; n += step) columns[n] = middles.includes(n) ? '┼' : '─'
  columns[head] = lost ? '✗' : held ? '‖' : step > 0 ? '→' : '←'
  return columns.join('')
}
