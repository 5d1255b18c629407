export interface EventFields {
  data?: string
  event?: string
  id?: string
  retry?: number
}

/** Ends each line with a lone CR, which is a valid line end. */
const END = '\r'

/** Replaces the characters that would end a field or make an ID invalid. */
const oneLine = (value: string): string => value.replace(/[\r\n\0]/g, ' ')

export function encodeEvent({ data, event, id, retry }: EventFields): string {
  let text = ''
  if (retry != null) {
    if (!Number.isSafeInteger(retry) || retry < 0) throw new Error(`no retry: ${retry}`)
    text += `retry: ${retry}${END}`
  }
  if (id != null) text += `id: ${oneLine(id)}${END}`
  if (event != null) text += `event: ${oneLine(event)}${END}`
  if (data != null) text += `data: ${data.replace(/\r\n?|\n/g, `${END}data: `)}${END}`
  return text + END
}
