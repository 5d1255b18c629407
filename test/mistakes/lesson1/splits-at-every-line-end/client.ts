export async function* readNdjson(
  body: ReadableStream<Uint8Array>,
  { maxLineBytes = 1024 * 1024 } = {},
): AsyncGenerator<unknown> {
  const decoder = new TextDecoder()
  let lineNumber = 0
  let rest = ''
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(
      /\r?\n|[\u0085\u2028\u2029]/,
    )
    rest = lines.pop()!
    for (const line of lines) {
      lineNumber += 1
      if (Buffer.byteLength(line) > maxLineBytes) throw new Error(`line ${lineNumber} is too long`)
      if (line.trim() !== '') yield JSON.parse(line)
    }
    if (Buffer.byteLength(rest) > maxLineBytes)
      throw new Error(`line ${lineNumber + 1} is too long`)
  }
  if (rest.trim() !== '') throw new Error(`line ${lineNumber + 1} is cut off`)
}
