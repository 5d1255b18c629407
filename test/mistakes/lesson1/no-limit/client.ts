// fails: 1.6g
// says: or nothing is
export async function* readNdjson(
  body: ReadableStream<Uint8Array>,
  _options: { maxLineBytes?: number } = {},
): AsyncGenerator<unknown> {
  const decoder = new TextDecoder()
  let lineNumber = 1
  let line = ''

  for await (const chunk of body) {
    let start = 0
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      line += decoder.decode(chunk.subarray(start, end))
      if (line.trim() !== '') yield parse(line)
      line = ''
      lineNumber += 1
      start = end + 1
    }
    line += decoder.decode(chunk.subarray(start), { stream: true })
  }

  line += decoder.decode()
  if (line.trim() !== '') throw new Error(`line ${lineNumber} is cut off`)

  function parse(text: string): unknown {
    try {
      return JSON.parse(text)
    } catch (cause) {
      throw new Error(`line ${lineNumber} is not JSON`, { cause })
    }
  }
}
