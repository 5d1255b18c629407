import { excerpt, type Transcript } from './transcript.ts'

/** A response body whose chunks come when the check says so. */
export type ControlledBody = {
  readonly stream: ReadableStream<Uint8Array>
  /** Puts one chunk into the body. */
  push(chunk: Uint8Array | string): void
  /** The connection is lost. */
  fail(error: Error): void
  /** The reader does not want any more: it has cancelled the request. */
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
      transcript.step(`body brought ${bytes.length} bytes  ${excerpt(bytes, 48)}`)
      if (!cancelled) controller.enqueue(bytes)
    },
    fail(error) {
      transcript.step(`body failed: ${error.message}`)
      if (!cancelled) controller.error(error)
    },
  }
}

/** A body of these chunks, each given when it is asked for. */
export function bodyOfChunks(chunks: Iterable<Uint8Array>): {
  readonly stream: ReadableStream<Uint8Array>
  /** How many chunks were asked for. */
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
    // Not one chunk before it is asked for.
    { highWaterMark: 0 },
  )
  return {
    stream,
    get pulled() {
      return pulled
    },
  }
}
