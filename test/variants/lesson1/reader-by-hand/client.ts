type Options = { maxLineBytes?: number }

export async function* readNdjson(
  body: ReadableStream<Uint8Array>,
  options?: Options,
): AsyncGenerator<unknown, void, undefined> {
  const limit = options?.maxLineBytes ?? 64 * 1024
  const reader = body.getReader()
  let line = 0
  let bytes: number[] = []
  try {
    while (true) {
      const { done, value } = await reader.read()
      if (done) break
      for (const byte of value) {
        if (byte !== 10) {
          bytes.push(byte)
          if (bytes.length > limit) throw new Error(`Line ${line + 1}: more than ${limit} bytes`)
          continue
        }
        line += 1
        const text = Buffer.from(bytes).toString().trim()
        bytes = []
        if (text.length > 0) yield json(text, line)
      }
    }
    if (Buffer.from(bytes).toString().trim().length > 0)
      throw new Error(`Line ${line + 1}: incomplete`)
  } finally {
    await reader.cancel().catch(() => {})
  }
}

function json(text: string, line: number): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`L${line}: ${String(error)}`, { cause: error })
  }
}
