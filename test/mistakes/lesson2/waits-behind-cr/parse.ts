// fails: 2.5h
// says: the parser waits for the LF that may follow
// seen in: rexxars/eventsource-parser 3.1.1
export type StreamEvent = { type: string; data: string; lastEventId: string }

export async function* parseEventStream(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder()
  let begun = ''
  let type = ''
  let data: string[] = []
  let id = ''

  for await (const chunk of body) {
    let text = decoder.decode(chunk, { stream: true })
    text = begun + text
    const end = text.endsWith('\r') ? text.length - 1 : text.length
    const lines = text.slice(0, end).split(/\r\n|\n|\r/)
    begun = lines.pop()! + text.slice(end)
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) {
          yield { type: type || 'message', data: data.join('\n'), lastEventId: id }
        }
        type = ''
        data = []
        continue
      }
      const colon = line.indexOf(':')
      const name = colon === -1 ? line : line.slice(0, colon)
      const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
      if (name === 'data') data.push(value)
      if (name === 'event') type = value
      if (name === 'id' && !value.includes('\0')) id = value
    }
  }
  if (begun === '\r' && data.length > 0) {
    yield { type: type || 'message', data: data.join('\n'), lastEventId: id }
  }
}
