export async function* readNdjson(
  body: ReadableStream<Uint8Array>,
  { maxLineBytes = 1024 * 1024 } = {},
): AsyncGenerator<unknown> {
  const decoder = new TextDecoder()
  let lineNumber = 1
  let lineBytes = 0
  let line = ''

  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value: chunk } = await reader.read()
      if (done) break
      let start = 0
      for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
        lineBytes += end - start
        if (lineBytes > maxLineBytes) throw tooLong()
        line += decoder.decode(chunk.subarray(start, end))
        if (line.trim() !== '') yield parse(line)
        line = ''
        lineBytes = 0
        lineNumber += 1
        start = end + 1
      }
      lineBytes += chunk.length - start
      if (lineBytes > maxLineBytes) throw tooLong()
      line += decoder.decode(chunk.subarray(start), { stream: true })
    }
  } catch (error) {
    reader.releaseLock()
    throw error
  } finally {
    await reader.cancel().catch(() => {})
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
