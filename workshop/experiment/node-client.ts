import { get, type IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'

/** Whoever reads a stream at the last hop. */
export type MeasuringClient = {
  /** Reads a stream to its end. */
  read(url: string): Promise<Arrivals>
  /**
   * Opens a stream that does not end.
   *
   * @returns leaves it
   */
  visit(url: string): () => Promise<void>
}

/** When the head and then all of each event was there, in milliseconds on the clock of this process. */
export type Arrivals = { head: number; arrived: number[] }

/** A client that reads what comes as soon as it comes: this process. */
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
      // It is aborted, head or no head.
      void ask(url, leave.signal).then(
        (answer) => answer.on('error', () => {}).resume(),
        () => {},
      )
      return async () => leave.abort()
    },
  }
}
