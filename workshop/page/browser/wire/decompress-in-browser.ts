import { hasZlibHeader, type OpenDecompressor } from '../../../../wire/body.ts'
import { concat } from '../../../../wire/segment.ts'

/** Opens a decompressor for the encodings that browsers can decompress, for recordings from a file. */
export const openDecompressor: OpenDecompressor = (encoding) => {
  if (!/^(x-)?gzip$|^deflate(-raw)?$/.test(encoding)) {
    throw new Error(`Your browser cannot decompress "${encoding}".`)
  }
  let writer: WritableStreamDefaultWriter<BufferSource> | undefined
  let out: Uint8Array[] = []

  function begin(first: number): WritableStreamDefaultWriter<BufferSource> {
    const isRaw = encoding === 'deflate-raw' || !hasZlibHeader(first)
    const format = encoding.endsWith('gzip') ? 'gzip' : isRaw ? 'deflate-raw' : 'deflate'
    const { readable, writable } = new DecompressionStream(format)
    void collect(readable).catch(() => {})
    return writable.getWriter()
  }

  async function collect(readable: ReadableStream<Uint8Array>): Promise<void> {
    for await (const piece of readable) out.push(piece)
  }

  return {
    async push(bytes) {
      writer ??= begin(bytes[0]!)
      try {
        await writer.write(bytes as Uint8Array<ArrayBuffer>)
      } catch {
        throw new Error(`These bytes are not valid ${encoding}.`)
      }
      await everythingIsRead()
      const readable = concat(out)
      out = []
      return readable
    },
    close: () => void writer?.abort().catch(() => {}),
  }
}

/** Waits for a task, because a stream passes on what was written in microtasks. */
function everythingIsRead(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.addEventListener('message', () => {
      port1.close()
      resolve()
    })
    port1.start()
    port2.postMessage(undefined)
  })
}
