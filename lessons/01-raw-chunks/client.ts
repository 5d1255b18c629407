/**
 * Reads newline-delimited JSON, and yields one value for each line as soon as its line feed has arrived.
 *
 * Skips blank lines, which keep a connection alive. Cancels the body if the caller leaves its loop, and after an error.
 *
 * @param body the body of a response, as bytes in chunks that may end anywhere
 * @param options.maxLineBytes the most bytes that a line may have, not counting its line feed
 * @throws if a line is not JSON or is too long, or if the last line has no line feed and is not blank, because `12` may
 *   be the beginning of `123`. The message contains the number of the line, counted from 1.
 */
export async function* readNdjson(
  body: ReadableStream<Uint8Array>,
  { maxLineBytes = 1024 * 1024 } = {},
): AsyncGenerator<unknown> {
  throw new Error('lesson 1, task 1.6: write readNdjson()')
}
