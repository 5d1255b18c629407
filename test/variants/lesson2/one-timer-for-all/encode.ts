export type EventFields = {
  data?: string
  event?: string
  id?: string
  retry?: number
}

const END = '\r\n'

/** Ends lines with CRLF, and writes a space after a colon only where the value needs it. */
export function encodeEvent(fields: EventFields): string {
  const text: string[] = []
  const add = (name: string, value: string) => {
    if (/[\r\n]/.test(value)) throw new RangeError(`${name} holds a line end`)
    // A client removes one space, so a value that begins with a space gets another one.
    text.push(name, ':', value.startsWith(' ') ? ` ${value}` : value, END)
  }
  if (fields.data !== undefined) {
    for (const line of fields.data.replaceAll('\r\n', '\n').replaceAll('\r', '\n').split('\n')) {
      add('data', line)
    }
  }
  if (fields.event !== undefined) add('event', fields.event)
  if (fields.retry !== undefined) {
    if (!/^\d+$/.test(String(fields.retry))) throw new RangeError('retry is in whole milliseconds')
    add('retry', String(fields.retry))
  }
  // The ID may be the last field, because the order means nothing.
  if (fields.id !== undefined) {
    if (fields.id.includes('\0')) throw new RangeError('id holds U+0000')
    add('id', fields.id)
  }
  return text.join('') + END
}
