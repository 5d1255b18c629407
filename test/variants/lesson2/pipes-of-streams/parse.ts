export type StreamEvent = { type: string; data: string; lastEventId: string }

/** Connects three streams, which turn bytes into text, text into lines, and lines into events. */
export async function* parseEventStream(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<StreamEvent> {
  yield* body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .pipeThrough(toLines())
    .pipeThrough(toEvents())
}

type ReadableWritablePair<R, W> = { readable: ReadableStream<R>; writable: WritableStream<W> }

function toLines(): TransformStream<string, string> {
  let begun = ''
  let skipLf = false
  return new TransformStream({
    transform(text, controller) {
      let rest = text
      for (;;) {
        if (rest === '') return
        if (skipLf && rest.startsWith('\n')) rest = rest.slice(1)
        skipLf = false
        const found = /\r\n|\r|\n/.exec(rest)
        if (!found) {
          begun += rest
          return
        }
        controller.enqueue(begun + rest.slice(0, found.index))
        begun = ''
        skipLf = found[0] === '\r'
        rest = rest.slice(found.index + found[0].length)
      }
    },
  })
}

function toEvents(): TransformStream<string, StreamEvent> {
  let lastEventId = ''
  let fields: { event: string; data: string[] } = { event: '', data: [] }
  return new TransformStream({
    transform(line, controller) {
      if (line === '') {
        const { event, data } = fields
        if (data.length) {
          controller.enqueue({ lastEventId, type: event || 'message', data: data.join('\n') })
        }
        fields = { event: '', data: [] }
        return
      }
      const at = line.includes(':') ? line.indexOf(':') : line.length
      const value = line.slice(at + 1).replace(/^ /, '')
      const name = line.slice(0, at)
      if (name === 'event') fields.event = value
      else if (name === 'data') fields.data.push(value)
      else if (name === 'id' && value.indexOf('\0') < 0) lastEventId = value
    },
  })
}
