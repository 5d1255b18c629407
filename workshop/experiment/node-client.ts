import { get, type IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'

/** A client that reads a stream at the last hop. */
export type MeasuringClient = {
  /** Reads a stream to its end. */
  read(url: string): Promise<Arrivals>
  /**
   * Opens a stream that never ends.
   *
   * @returns a function that disconnects
   */
  visit(url: string): () => Promise<void>
}

/** The times when the head and each complete event arrived, in milliseconds on the clock of this process. */
export type Arrivals = { head: number; arrived: number[] }

/** Returns a client in this process, which reads every byte as soon as it arrives. */
export function nodeClient({ takesGzip = false }: { takesGzip?: boolean }): MeasuringClient {
  function ask(url: string, signal?: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request = get(url, {
        agent: false,
        headers: takesGzip ? { 'Accept-Encoding': 'gzip' } : {},
        ...(signal && { signal }),
      })
      request.once('response', resolve)
      request.on('error', reject)
    })
  }

  return {
    async read(url) {
      const response = await ask(url)
      const head = performance.now()
      const arrived: number[] = []
      let text = ''
      const isZipped = response.headers['content-encoding'] === 'gzip'
      const body: Readable = isZipped ? response.pipe(createGunzip()) : response
      for await (const bytes of body) {
        text += String(bytes)
        const events = text.split('\n\n')
        text = events.pop()!
        arrived.push(...events.map(() => performance.now()))
      }
      return { head, arrived }
    },
    visit(url) {
      const leave = new AbortController()
      // The request may be aborted before or after the head has arrived.
      void ask(url, leave.signal).then(
        (answer) => answer.on('error', () => {}).resume(),
        () => {},
      )
      return async () => leave.abort()
    },
  }
}
