import { responseReader } from '../../wire/response.ts'
import type { Visit } from './cut.ts'
import { eventReader } from './sse.ts'
import { shown } from './transcript.ts'

/** What came whole before the cut: the ids of quakes, and the names of other events. */
export function cameWhole({ response }: Visit): string[] {
  return eventReader()
    .push(textOf(response))
    .map(({ type, lastEventId }) => (type === 'message' ? lastEventId : type))
}

/** Where in the wire it was cut: `between two events`. */
export function placeOf({ response, cut }: Visit): string {
  if (cut?.of === 'request') return `after byte ${cut.after}`
  if (response.length === 0) return 'before its first byte'
  if (!hasHead(response)) return 'inside the head'
  const text = textOf(response)
  const lines = text.split('\n')
  const begun = lines.at(-1)!
  if (begun !== '') return `inside the line that begins with "${shown(begun, 24)}"`
  if (text === '') return 'behind the head'
  if (text.endsWith('\n\n')) return 'between two events'
  return `behind the line "${shown(lines.at(-2)!, 24)}", before the blank line`
}

/** `after byte 57 of the body  …␊␊id: us1d0c2␊⟨cut⟩`: the head is as long as a server likes. */
export function wireAt({ response, cut }: Visit): string {
  if (cut?.of === 'request') return `the request was cut after byte ${cut.after}`
  if (response.length === 0) return 'the response was cut before its first byte'
  if (!hasHead(response)) return 'the response was cut inside the head'
  const body = response.subarray(response.indexOf('\r\n\r\n') + 4)
  const tail = shown(body.subarray(-20), 20)
  return `cut after byte ${body.length} of the body  ${body.length > 20 ? '…' : ''}${tail}⟨cut⟩`
}

function hasHead(response: Buffer): boolean {
  return response.includes('\r\n\r\n')
}

function textOf(response: Buffer): string {
  const data = responseReader()
    .push(response)
    .filter(({ kind }) => kind === 'data')
  return Buffer.concat(data.map(({ bytes }) => bytes)).toString()
}
