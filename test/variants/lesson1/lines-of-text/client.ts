export async function* readNdjson(
  body: ReadableStream<Uint8Array>,
  { maxLineBytes = 1_000_000 }: { maxLineBytes?: number } = {},
): AsyncGenerator<unknown> {
  const utf8 = new TextEncoder()
  let number = 0
  let rest = ''
  const take = (text: string): unknown => {
    number += 1
    if (utf8.encode(text).length > maxLineBytes) throw new RangeError(`line ${number} is too long`)
    if (/^\s*$/.test(text)) return NOTHING
    try {
      return JSON.parse(text)
    } catch {
      throw new SyntaxError(`line ${number}: no JSON`)
    }
  }
  const texts = body.pipeThrough(new TextDecoderStream())
  for await (const text of texts) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const value = take(line)
      if (value !== NOTHING) yield value
    }
    if (rest.length > maxLineBytes || utf8.encode(rest).length > maxLineBytes) {
      throw new RangeError(`line ${number + 1} is too long`)
    }
  }
  if (take(rest) !== NOTHING) throw new Error(`line ${number} has no end`)
}

const NOTHING = Symbol('blank line')
