// fails: 2.5j
// says: an empty chunk makes the parser forget
export type StreamEvent = { type: string; data: string; lastEventId: string }

export async function* parseEventStream(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder()
  let begun = ''
  let endedByCr = false
  let type = ''
  let data: string[] = []
  let id = ''

  for await (const chunk of body) {
    let text = decoder.decode(chunk, { stream: true })
    if (endedByCr && text.startsWith('\n')) text = text.slice(1)
    endedByCr = text.endsWith('\r')
    const lines = (begun + text).split(/\r\n|\n|\r/)
    begun = lines.pop()!
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
}
