export async function* readNdjson(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    for (const line of decoder.decode(chunk, { stream: true }).split('\n')) {
      if (line.trim() !== '') yield parse(line)
    }
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw new Error('malformed JSON', { cause })
  }
}
