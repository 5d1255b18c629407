// fails: 2.1k
// says: Number() makes a number of anything
export type EventFields = {
  data?: string
  event?: string
  id?: string
  retry?: number
}

export function encodeEvent({ data, event, id, retry }: EventFields): string {
  if (/[\r\n]/.test(event ?? '')) throw new TypeError('event must be one line')
  if (/[\r\n\0]/.test(id ?? '')) throw new TypeError('id must be one line without U+0000')
  if (retry !== undefined && !(Number.isSafeInteger(Number(retry)) && retry >= 0)) {
    throw new TypeError('retry must be a whole number')
  }
  let text = ''
  if (event !== undefined) text += `event: ${event}\n`
  if (id !== undefined) text += `id: ${id}\n`
  if (retry !== undefined) text += `retry: ${retry}\n`
  if (data !== undefined) {
    for (const line of data.split(/\r\n|\r|\n/)) text += `data: ${line}\n`
  }
  return `${text}\n`
}
