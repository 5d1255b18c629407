// fails: 1.6g
// says: characters are counted
export async function* readNdjson(
  body: ReadableStream<Uint8Array>,
  { maxLineBytes = 1024 * 1024 } = {},
): AsyncGenerator<unknown> {
  const decoder = new TextDecoder()
  let lineNumber = 1
  let line = ''

  for await (const chunk of body) {
    let start = 0
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      line += decoder.decode(chunk.subarray(start, end))
      if (line.length > maxLineBytes) throw tooLong()
      if (line.trim() !== '') yield parse(line)
      line = ''
      lineNumber += 1
      start = end + 1
    }
    line += decoder.decode(chunk.subarray(start), { stream: true })
    if (line.length > maxLineBytes) throw tooLong()
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

  function tooLong(): Error {
    return new Error(`line ${lineNumber} is longer than ${maxLineBytes} bytes`)
  }
}
