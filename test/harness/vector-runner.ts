import { shorten } from '../../wire/visible.ts'
import { bodyOfChunks } from './controlled-body.ts'
import type { Tools } from './check.ts'
import { EventStreamParser } from './event-stream-parser.ts'
import { must } from './failure.ts'
import { deepEqual } from './equality.ts'
import { isNotWritten } from '../../protocol/not-written.ts'
import { excerpt } from './transcript.ts'
import { turns } from './event-loop.ts'
import { chunkings, type NdjsonVector, type SseVector } from './vectors.ts'

type Reader = (
  body: ReadableStream<Uint8Array>,
  options?: { maxLineBytes?: number },
) => AsyncIterable<unknown>

/** The values that a reader yielded for a body, and the error that it threw, if any. */
export type ReadResult = { yielded: unknown[]; error?: unknown }

/**
 * Reads each NDJSON case in every chunking of its bytes. Fails at the first wrong result.
 *
 * @param usual the likely cause, if neither the case nor the result suggests another one
 */
export async function mustReadNdjson(
  t: Tools,
  read: Reader,
  vectors: NdjsonVector[],
  usual: string | ((reading: ReadResult, vector: NdjsonVector) => string | undefined),
): Promise<void> {
  for (const vector of vectors.map(withLastRecord)) {
    const { chunks, records, error, level } = vector
    if (level === 'interpretation') continue
    for (const cut of chunkings(chunks)) {
      const reading = await readAll(t, read, cut, vector)
      const often =
        whyHalfCharacters(reading, records) ??
        vector.often ??
        (typeof usual === 'string' ? usual : usual(reading, vector))
      const wanted = `Expected the reader to yield ${list(records)}${error ? `, and then to throw an error that names line ${error.line}` : ''}. ${vector.why}`
      must(deepEqual(reading.yielded, records), {
        seen: `Reading ${inputOf(cut)} yielded ${list(reading.yielded)}${thrown(reading)}.`,
        expected: wanted,
        ...(often && { often }),
      })
      must(error ? namesLine(reading.error, error.line) : reading.error === undefined, {
        seen: `Reading ${inputOf(cut)} yielded ${list(reading.yielded)}${thrown(reading) || ' and threw no error'}.`,
        expected: wanted,
        ...(often && { often }),
      })
    }
  }
}

/** Appends a record to a case without an error, because that record reveals anything that the case has left in the reader's state. */
function withLastRecord(vector: NdjsonVector): NdjsonVector {
  if (vector.error || vector.tags.includes('eof') || vector.tags.includes('long')) return vector
  return {
    ...vector,
    chunks: [...vector.chunks, Buffer.from('7\n')],
    records: [...vector.records, 7],
  }
}

function whyHalfCharacters({ yielded }: ReadResult, records: unknown[]): string | undefined {
  const has = (values: unknown[]): boolean => JSON.stringify(values).includes('\ufffd')
  return has(yielded) && !has(records)
    ? 'your reader decodes each chunk by itself, but a chunk may end in the middle of a character.'
    : undefined
}

/**
 * Returns the reason why the error for a line that is not JSON is wrong, if that can be determined.
 *
 * @param reading the reader's result for a case with such a line
 */
export function whyWrongError(
  { yielded, error }: ReadResult,
  vector: NdjsonVector,
): string | undefined {
  const line = vector.error?.line
  if (line === undefined || yielded.length > vector.records.length) {
    return error === undefined
      ? 'your reader catches the error for a bad line, and continues with the next line.'
      : undefined
  }
  if (error === undefined)
    return 'your reader catches the error for a bad line, and continues with the next line.'
  if (yielded.length < vector.records.length) {
    return 'your reader throws before it has yielded the earlier records. For example, controller.error() drops everything that is still queued.'
  }
  const message = messageOf(error).replace(V8_LINE, '')
  if (!/\d/.test(message)) {
    return 'your error message has no line number. JSON.parse() does not know the number, so your code has to count the lines.'
  }
  return namesLine(error, line - 1)
    ? 'your reader counts lines from 0, or does not count blank lines.'
    : undefined
}

/**
 * Reads each event stream case in every chunking of its bytes, and again with another event appended, because that event
 * reveals anything that the case has left in the parser's state. Fails at the first wrong result.
 *
 * @param often returns the likely cause of a wrong result
 * @param pieces returns the chunkings to try; by default, all of them
 */
export async function mustReadEvents(
  t: Tools,
  read: Reader,
  vectors: SseVector[],
  often: string | ((reading: ReadResult) => string),
  pieces: Pieces = chunkings,
): Promise<void> {
  for (const vector of vectors) {
    if (vector.level === 'interpretation') continue
    for (const { cut, events } of readingsOf(vector, pieces)) {
      const reading = await readAll(t, read, cut, {})
      if (reading.error === undefined && deepEqual(reading.yielded.map(asEvent), events)) continue
      must(false, {
        seen: `Reading ${inputOf(cut)} yielded ${list(reading.yielded)}${thrown(reading)}.`,
        expected: `Expected the reader to yield ${list(events)}. ${vector.why}`,
        often: typeof often === 'string' ? often : often(reading),
      })
    }
  }
}

type Pieces = (chunks: Uint8Array[]) => Iterable<Uint8Array[]>

function* readingsOf(
  { chunks, events, tags }: SseVector,
  pieces: Pieces,
): Generator<Pick<SseVector, 'events'> & { cut: Uint8Array[] }> {
  const isOpen = !tags.includes('eof') && !tags.includes('long')
  // If all bytes arrive at once, always append an event, because other checks test whether the end of a chunk matters.
  if (!isOpen || pieces !== inOnePiece) for (const cut of pieces(chunks)) yield { cut, events }
  if (!isOpen) return
  const whole = Buffer.concat([...chunks, LAST_EVENT])
  const more = new EventStreamParser().push(whole)
  if (pieces !== byteByByte) yield { cut: [whole], events: more }
  if (pieces === chunkings) yield { cut: [...chunks, LAST_EVENT], events: more }
}

const LAST_EVENT = Buffer.from('data: last\n\n')

/** Returns a single chunking, in which all bytes arrive at once. */
export function inOnePiece(chunks: Uint8Array[]): Uint8Array[][] {
  return [[Buffer.concat(chunks)]]
}

/** Returns a single chunking, in which every byte arrives separately. */
export function byteByByte(chunks: Uint8Array[]): Uint8Array[][] {
  return [[...Buffer.concat(chunks)].map((byte) => Uint8Array.of(byte))]
}

async function readAll(
  t: Tools,
  read: Reader,
  chunks: Uint8Array[],
  { maxLineBytes }: { maxLineBytes?: number },
): Promise<ReadResult> {
  const yielded: unknown[] = []
  const all = async (): Promise<ReadResult> => {
    try {
      const options = maxLineBytes === undefined ? undefined : { maxLineBytes }
      for await (const value of read(bodyOfChunks(chunks).stream, options)) yielded.push(value)
      return { yielded }
    } catch (error) {
      return { yielded, error }
    }
  }
  const outcome = await t.withTimeout(all(), {
    // Format the message lazily, so that it lists everything that was yielded before the timeout, and costs nothing otherwise.
    seen: () => `Reading ${inputOf(chunks)} yielded ${list(yielded)}, but did not end.`,
    expected: 'Expected the reader to end when the body ends.',
  })
  if (isNotWritten(outcome.error)) throw outcome.error
  // Pause, because to the watchdog, many reads without a pause would look like an endless loop.
  await turns()
  return outcome
}

/** Extracts the specified fields of an event and ignores everything else. */
function asEvent(value: unknown): unknown {
  const { type, data, lastEventId } = (value ?? {}) as Record<string, unknown>
  return { type, data, lastEventId }
}

function inputOf(chunks: Uint8Array[]): string {
  if (chunks.length > 6) {
    return `«${excerpt(Buffer.concat(chunks), 48)}» in ${chunks.length} chunks`
  }
  // Do not use double quotes, because most of the content contains them.
  return chunks.map((chunk) => `«${excerpt(chunk, 48)}»`).join(' + ') || 'an empty body'
}

function list(values: unknown[]): string {
  if (values.length === 0) return 'nothing'
  const some = values.slice(0, 3).map((value) => excerpt(JSON.stringify(value) ?? 'undefined', 60))
  return values.length > 3 ? `${some.join(', ')} and ${values.length - 3} more` : some.join(', ')
}

function thrown({ error }: ReadResult): string {
  if (error === undefined) return ''
  const message = messageOf(error).replace(V8_LINE, '$1')
  return ` and threw the error "${shorten(message, MAX_CHARACTERS)}"`
}

const MAX_CHARACTERS = 120

function namesLine(error: unknown, line: number): boolean {
  const message = error instanceof Error ? messageOf(error).replace(V8_LINE, '') : ''
  return new RegExp(`(?<!\\d)${line}(?!\\d)`).test(message)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/**
 * Matches the position in an error of JSON.parse(). Since Node 22, the position includes a line number, but it is not
 * that of the line in the stream.
 */
const V8_LINE = /( (?:in|after) JSON at position \d+)(?: \(line \d+ column \d+\))?/
