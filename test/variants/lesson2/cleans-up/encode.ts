export interface EventFields {
  data?: string
  event?: string
  id?: string
  retry?: number
}

/** A lone CR ends a line as well as any other. */
const END = '\r'

/** What would break out of a field is taken out of it. */
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
