import type { SpaceTime, SpaceTimeEvent } from '../../protocol/space-time.ts'
import type { CheckResult } from '../../protocol/verdict.ts'
import { shownPicture, speaking } from '../verdict/space-time.ts'

// Stored messages contain a picture as one line for its parties, and one line for each event:
//
//     | history, server, client
//     | client → server: GET /events
//     | history: q-999 happened
//     | server → client (lost): event "q-999"
//     | *: … nothing for 2 s

/** Returns the events of a picture that a learner sees, except for those of the solution. */
export function drawn(check: CheckResult): SpaceTime | undefined {
  const shown = shownPicture(check)
  if (!shown) return undefined
  const events = [...shown.before, ...shown.yours].map(withoutCall)
  return { parties: speaking(shown.parties, events), events }
}

/** Removes what matters only for a comparison with the solution. */
function withoutCall(event: SpaceTimeEvent): SpaceTimeEvent {
  const { isCall: _, ...rest } = event
  return rest
}

export function formatPicture({ parties, events }: SpaceTime): string[] {
  return [`| ${parties.join(', ')}`, ...events.map(formatEvent)]
}

function formatEvent({ at = EVERYONE, to, label, lost, held }: SpaceTimeEvent): string {
  const fate = lost ? ' (lost)' : held ? ' (held)' : ''
  return `| ${at}${to === undefined ? '' : ` → ${to}`}${fate}: ${label}`.trimEnd()
}

/** Parses the lines of a picture. Returns undefined if there are none. */
export function parsePicture(lines: string[]): SpaceTime | undefined {
  const [first, ...others] = lines.map((line) => line.slice(2))
  return first === undefined
    ? undefined
    : { parties: first.split(', '), events: others.map(parseEvent) }
}

function parseEvent(line: string): SpaceTimeEvent {
  const [, at = '', to, fate, label = ''] =
    /^(.+?)(?: → (.+?))?(?: \((lost|held)\))?:(?: (.*))?$/.exec(line) ?? []
  return {
    ...(at !== EVERYONE && { at }),
    ...(to !== undefined && { to }),
    label,
    ...(fate === 'lost' && { lost: true }),
    ...(fate === 'held' && { held: true }),
  }
}

/** Takes the place of a party in an event that concerns every party. */
const EVERYONE = '*'
