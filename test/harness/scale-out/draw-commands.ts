import type { RespValue } from '../../../wire/resp.ts'
import { excerpt, type Transcript } from '../transcript.ts'
import { REDIS } from './lanes.ts'
import type { TapCommand, TapEvent } from './tap-events.ts'

/** Draws the commands of a process that concern the stream, and their replies. Correct code may send other commands. */
export function drawCommands(transcript: Transcript, process: string): (event: TapEvent) => void {
  /** The last command, which is not drawn again if its reply was empty, because a reader that polls repeats it. */
  let last = ''
  return (event) => {
    if (event.kind === 'command' && isDrawn(event)) {
      const label = labelOf(event)
      if (label !== last) transcript.draw({ at: process, to: REDIS, label, isCall: true })
      last = label
    }
    if (event.kind === 'reply' && isDrawn(event.command) && event.value !== null) {
      const label = `${event.command.name}: ${describe(event.value)}`
      transcript.draw({ at: REDIS, to: process, label, isCall: true })
      last = ''
    }
  }
}

function isDrawn({ name }: TapCommand): boolean {
  return name.startsWith('X') && name !== 'XINFO'
}

/** Returns a command without its key: `XRANGE 1716200000003-0 +`, or `XREAD after 1716200000003-0`. */
function labelOf({ name, args }: TapCommand): string {
  if (name === 'XREAD') return `XREAD after ${args.at(-1)}`
  return name === 'XADD' ? name : excerpt([name, ...args.slice(1)].join(' '), 40)
}

/** Returns the IDs in a reply, or its first line. */
function describe(value: RespValue): string {
  if (!Array.isArray(value)) return excerpt(String(value), 40)
  const ids = idsIn(value)
  if (ids.length === 0) return 'nothing'
  return ids.length <= 2 ? ids.join(', ') : `${ids[0]}, … ${ids.at(-1)}`
}

function idsIn(value: RespValue): string[] {
  if (typeof value === 'string') return /^\d+-\d+$/.test(value) ? [value] : []
  return Array.isArray(value) ? value.flatMap(idsIn) : []
}
