import { responseReader } from '../../../wire/response.ts'
import type { Attempt } from './cut.ts'
import { EventStreamParser } from '../event-stream-parser.ts'
import { visible } from '../../../wire/visible.ts'
import { excerpt } from '../transcript.ts'

/** Returns the events that were complete before the cut: the IDs of quakes, and the names of other events. */
export function completeEvents({ response }: Attempt): string[] {
  return new EventStreamParser()
    .push(decodedBody(response))
    .map(({ type, lastEventId }) => (type === 'message' ? lastEventId : type))
}

/** Describes the position of a cut, for example `inside the line that begins with "id: us"`. */
export function describePosition({ response, cut }: Attempt): string {
  if (cut?.of === 'request') return `after byte ${cut.after}`
  if (response.length === 0) return 'before its first byte'
  if (!hasHead(response)) return 'inside the head'
  const lines = decodedBody(response).toString().split('\n')
  const [last, begun] = [
    lines.findLast((line, n) => line !== '' && n < lines.length - 1),
    lines.at(-1)!,
  ]
  if (begun !== '') return `inside the line that begins with "${excerpt(begun, 24)}"`
  if (last === undefined) return 'after the head'
  const isBlank = lines.at(-2) === ''
  return `after the ${isBlank ? 'blank line that follows' : 'line'} "${excerpt(last, 24)}"`
}

/** Describes a cut in steps of a transcript: its position in the text, and the last characters before it. */
export function describeCut({ response, cut }: Attempt): string[] {
  if (cut?.of === 'request') return [`the request was cut after byte ${cut.after}`]
  if (response.length === 0) return ['the response was cut before its first byte']
  if (!hasHead(response)) return ['the response was cut inside the head']
  const body = decodedBody(response)
  // Show the end of the body, because the cut is there.
  const tail = [...visible(body.subarray(-WIDTH))].slice(-WIDTH).join('')
  return [
    `cut after byte ${body.length} of the text`,
    `${body.length > WIDTH ? '…' : ''}${tail}⟨cut⟩`,
  ]
}

const WIDTH = 32

function hasHead(response: Buffer): boolean {
  return response.includes('\r\n\r\n')
}

/** Returns the body without the chunk framing. */
function decodedBody(response: Buffer): Buffer {
  const data = responseReader()
    .push(response)
    .filter(({ kind }) => kind === 'data')
  return Buffer.concat(data.map(({ bytes }) => bytes))
}
