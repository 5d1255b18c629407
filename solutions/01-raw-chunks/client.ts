/**
 * Reads newline-delimited JSON, and yields one value for each line as soon as its line feed has arrived.
 *
 * Skips blank lines, which keep a connection alive. Cancels the body if the caller leaves its loop, and after an error.
 *
 * @param body the body of a response, as bytes in chunks that may end anywhere
 * @param options.maxLineBytes the most bytes that a line may have, not counting its line feed
 * @throws if a line is not JSON or is too long, or if the last line has no line feed and is not blank, because `12` may
 *   be the beginning of `123`. The message contains the number of the line, counted from 1.
 */
export async function* readNdjson(
  body: ReadableStream<Uint8Array>,
  { maxLineBytes = 1024 * 1024 } = {},
): AsyncGenerator<unknown> {
  // #region 1.6 readNdjson()
  const LF = 0x0a
  const decoder = new TextDecoder()
  let lineNumber = 1
  let lineBytes = 0
  let line = ''

  // Leaving this loop by `break`, `return` or `throw` cancels the body.
  for await (const chunk of body) {
    let start = 0
    // Split the bytes before decoding them, because in UTF-8 no other character contains the byte of an LF.
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
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
    // Check an unfinished line as well, because a line that never ends would fill the memory.
    if (lineBytes > maxLineBytes) throw tooLong()
    // With `stream`, the decoder keeps the bytes of a character that continues in the next chunk.
    line += decoder.decode(chunk.subarray(start), { stream: true })
  }

  line += decoder.decode()
  if (line.trim() !== '') throw new Error(`line ${lineNumber} is cut off: it has no line feed`)

  function parse(text: string): unknown {
    try {
      return JSON.parse(text)
    } catch (cause) {
      throw new Error(`line ${lineNumber} is not JSON: ${text.slice(0, 40)}`, { cause })
    }
  }

  function tooLong(): Error {
    return new Error(`line ${lineNumber} is longer than ${maxLineBytes} bytes`)
  }
  // #endregion
}
