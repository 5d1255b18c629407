// Reads the body through Readable.fromWeb() of Node, whose stream buffers up to 16 KiB ahead.
import { Readable } from 'node:stream'
export async function* readNdjson(
  body: ReadableStream<Uint8Array>,
  { maxLineBytes = 1024 * 1024 } = {},
): AsyncGenerator<unknown> {
  let parts: Buffer[] = []
  let bytes = 0
  let n = 1
  const give = (): string => {
    const text = Buffer.concat(parts).toString('utf8')
    parts = []
    bytes = 0
    return text
  }
  for await (const chunk of Readable.fromWeb(body as never) as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      parts.push(chunk.subarray(start, end))
      bytes += end - start
      if (bytes > maxLineBytes) throw new Error(`line ${n} is longer than ${maxLineBytes} bytes`)
      const text = give()
      if (text.trim() !== '') {
        let value: unknown
        try {
          value = JSON.parse(text)
        } catch (cause) {
          throw new Error(`line ${n}: not JSON`, { cause })
        }
        yield value
      }
      n += 1
      start = end + 1
    }
    parts.push(chunk.subarray(start))
    bytes += chunk.length - start
    if (bytes > maxLineBytes) throw new Error(`line ${n} is longer than ${maxLineBytes} bytes`)
  }
  if (give().trim() !== '') throw new Error(`line ${n} has no line feed`)
}
