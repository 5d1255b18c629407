/**
 * Reads newline-delimited JSON: one value for every line, as soon as its line feed is here.
 *
 * Blank lines keep a connection alive and mean nothing. Leaving the loop cancels the request, and so does an error.
 *
 * @param body the response's, as `fetch` gives it: bytes, cut anywhere
 * @param options.maxLineBytes how many bytes a line may have before its line feed
 * @throws when a line is not JSON, is too long, or has no line feed at the end: a value that was cut
 *   off may still look like one, as `12` of `123`. The message names the line, counted from 1.
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

  // Leaving this loop, by `break`, `return` or `throw`, cancels the body.
  for await (const chunk of body) {
    let start = 0
    // Bytes are split before they are decoded: in UTF-8 no other character contains the byte of a LF.
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
    // Without this, a line that never ends fills the memory.
    if (lineBytes > maxLineBytes) throw tooLong()
    // `stream` keeps the bytes of a character that the chunk cuts in two.
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
