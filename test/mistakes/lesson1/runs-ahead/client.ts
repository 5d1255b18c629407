export async function* readNdjson(
  body: ReadableStream<Uint8Array>,
  { maxLineBytes = 1024 * 1024 } = {},
): AsyncGenerator<unknown> {
  const decoder = new TextDecoder()
  let lineNumber = 1
  let lineBytes = 0
  let line = ''

  const arrived: Uint8Array[] = []
  let failure: unknown
  let ended = false
  let wake = (): void => {}
  const reader = body.getReader()
  const readOn = async (): Promise<void> => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      arrived.push(next.value)
      wake()
    }
  }
  void readOn()
    .catch((error: unknown) => {
      failure = error
    })
    .finally(() => {
      ended = true
      wake()
    })

  try {
    for (;;) {
      const chunk = arrived.shift()
      if (!chunk) {
        if (failure) throw failure
        if (ended) break
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        continue
      }
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
  } finally {
    await reader.cancel()
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
