// fails: 1.6e
// says: names line 3
export async function* readNdjson(
  body: ReadableStream<Uint8Array>,
  { maxLineBytes = 1024 * 1024 } = {},
): AsyncGenerator<unknown> {
  const decoder = new TextDecoder()
  let records = 0
  let blank = 0
  let lineBytes = 0
  let line = ''

  for await (const chunk of body) {
    let start = 0
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      lineBytes += end - start
      if (lineBytes > maxLineBytes) throw tooLong()
      line += decoder.decode(chunk.subarray(start, end))
      if (line.trim() !== '') {
        yield parse(line)
        records += 1
      } else blank += 1
      line = ''
      lineBytes = 0
      start = end + 1
    }
    lineBytes += chunk.length - start
    line += decoder.decode(chunk.subarray(start), { stream: true })
    if (lineBytes > maxLineBytes) throw tooLong()
  }

  line += decoder.decode()
  if (line.trim() !== '') throw new Error(`line ${records + 1} is cut off`)

  function parse(text: string): unknown {
    try {
      return JSON.parse(text)
    } catch (cause) {
      throw new Error(`line ${records + blank + 1} is not JSON`, { cause })
    }
  }

  function tooLong(): Error {
    return new Error(`line ${records + 1} is longer than ${maxLineBytes} bytes`)
  }
}
