import { excerpt, type Transcript } from './transcript.ts'

/** A response body whose chunks the check delivers. */
export type ControlledBody = {
  readonly stream: ReadableStream<Uint8Array>
  /** Delivers one chunk. */
  push(chunk: Uint8Array | string): void
  /** Simulates a lost connection. */
  fail(error: Error): void
  /** Whether the reader has cancelled the body. */
  readonly cancelled: boolean
}

export function controlledBody(transcript: Transcript): ControlledBody {
  let controller: ReadableStreamDefaultController<Uint8Array>
  let cancelled = false
  const stream = new ReadableStream<Uint8Array>({
    start(made) {
      controller = made
    },
    cancel() {
      transcript.step('body cancelled')
      cancelled = true
    },
  })
  return {
    stream,
    get cancelled() {
      return cancelled
    },
    push(chunk) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      transcript.step(`body delivers ${bytes.length} bytes  ${excerpt(bytes, 48)}`)
      if (!cancelled) controller.enqueue(bytes)
    },
    fail(error) {
      transcript.step(`body failed: ${error.message}`)
      if (!cancelled) controller.error(error)
    },
  }
}

/** Returns a body that delivers each chunk only when it is pulled. */
export function bodyOfChunks(chunks: Iterable<Uint8Array>): {
  readonly stream: ReadableStream<Uint8Array>
  /** The number of chunks that were pulled. */
  readonly pulled: number
} {
  const source = chunks[Symbol.iterator]()
  let pulled = 0
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const { done, value } = source.next()
        if (done) return controller.close()
        pulled += 1
        controller.enqueue(value)
      },
    },
    // Do not prefetch, because the stream must pull only on demand.
    { highWaterMark: 0 },
  )
  return {
    stream,
    get pulled() {
      return pulled
    },
  }
}
