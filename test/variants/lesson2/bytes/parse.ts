export type StreamEvent = { type: string; data: string; lastEventId: string }

const LF = 10
const CR = 13

/** Finds the line ends among the bytes, and decodes only complete lines. */
export async function* parseEventStream(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<StreamEvent> {
  const block = new Block()
  let pieces: Uint8Array[] = []
  let wasCr = false
  let isFirst = true

  for await (const chunk of body) {
    let start = 0
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at]
      if (byte === LF && wasCr) {
        start = at + 1
        wasCr = false
        continue
      }
      wasCr = byte === CR
      if (byte !== LF && byte !== CR) continue
      const bytes = Buffer.concat([...pieces, chunk.subarray(start, at)])
      pieces = []
      start = at + 1
      // Only the first line may begin with a byte order mark.
      const line = new TextDecoder('utf-8', { ignoreBOM: !isFirst }).decode(bytes)
      isFirst = false
      const event = block.line(line)
      if (event) yield event
    }
    if (start < chunk.length) pieces.push(chunk.slice(start))
  }
}

class Block {
  private type = ''
  private data = ''
  private id = ''

  line(line: string): StreamEvent | undefined {
    if (line === '') return this.dispatch()
    if (line.startsWith(':')) return undefined
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    let value = colon < 0 ? '' : line.slice(colon + 1)
    if (value[0] === ' ') value = value.slice(1)
    if (name === 'event') this.type = value
    if (name === 'data') this.data += value + '\n'
    if (name === 'id' && !value.includes('\0')) this.id = value
    return undefined
  }

  private dispatch(): StreamEvent | undefined {
    const { type, data, id } = this
    this.type = this.data = ''
    if (data === '') return undefined
    return { type: type === '' ? 'message' : type, data: data.slice(0, -1), lastEventId: id }
  }
}
