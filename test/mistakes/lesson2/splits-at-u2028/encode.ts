// fails: 2.1l
// says: data is cut at U+2028
export type EventFields = {
  data?: string
  event?: string
  id?: string
  retry?: number
}

export function encodeEvent({ data, event, id, retry }: EventFields): string {
  if (/[\r\n]/.test(event ?? '')) throw new TypeError('event must be one line')
  if (/[\r\n\0]/.test(id ?? '')) throw new TypeError('id must be one line without U+0000')
  if (retry !== undefined && !/^\d+$/.test(String(retry))) {
    throw new TypeError('retry must be a whole number')
  }
  let text = ''
  if (event !== undefined) text += `event: ${event}\n`
  if (id !== undefined) text += `id: ${id}\n`
  if (retry !== undefined) text += `retry: ${retry}\n`
  if (data !== undefined) {
    for (const line of data.split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/)) text += `data: ${line}\n`
  }
  return `${text}\n`
}
