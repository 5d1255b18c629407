export interface StreamEvent {
  type: string
  data: string
  lastEventId: string
}

/** Parses the stream character by character, and keeps its state in a few variables. */
export async function* parseEventStream(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<StreamEvent> {
  const reader = body.getReader()
  const decoder = new TextDecoder('utf-8')
  let line = ''
  let afterCr = false
  let name = ''
  let data: string | undefined
  let lastEventId = ''

  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return
      for (const character of decoder.decode(value, { stream: true })) {
        if (character === '\n' && afterCr) {
          afterCr = false
          continue
        }
        afterCr = character === '\r'
        if (character !== '\r' && character !== '\n') {
          line += character
          continue
        }
        if (line !== '') {
          field(line)
          line = ''
          continue
        }
        const event =
          data === undefined ? undefined : { type: name || 'message', data, lastEventId }
        name = ''
        data = undefined
        if (event) yield event
      }
    }
  } finally {
    await reader.cancel()
  }

  function field(text: string): void {
    const [, key, content = ''] = text.match(/^([^:]*):? ?(.*)$/su) ?? []
    const value = text.includes(':') ? content : ''
    switch (key) {
      case 'data':
        data = data === undefined ? value : `${data}\n${value}`
        break
      case 'event':
        name = value
        break
      case 'id':
        if (!value.includes('\u0000')) lastEventId = value
        break
    }
  }
}
