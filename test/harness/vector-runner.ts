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

/** What a reader made of a body: what it gave, and what it threw, if it did. */
export type ReadResult = { yielded: unknown[]; error?: unknown }

/**
 * Reads each NDJSON case in every chunking of its bytes. The first that differs is the failure.
 *
 * @param usual the likely cause, where the case does not say another one and what was read does not either
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
      const wanted = `Expected ${list(records)}${error ? ` and then an error that names line ${error.line}` : ''}. ${vector.why}`
      must(deepEqual(reading.yielded, records), {
        seen: `${inputOf(cut)} gave ${list(reading.yielded)}${thrown(reading)}.`,
        expected: wanted,
        ...(often && { often }),
      })
      must(error ? namesLine(reading.error, error.line) : reading.error === undefined, {
        seen: `${inputOf(cut)} gave ${list(reading.yielded)}${thrown(reading) || ' and no error'}.`,
        expected: wanted,
        ...(often && { often }),
      })
    }
  }
}

/** Behind a case that ends well comes one more record: then it shows what the case has left in the reader. */
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
    ? 'each chunk is decoded by itself, with half a character at its end.'
    : undefined
}

/**
 * What is wrong about the error for a line that is not JSON, as far as it shows.
 *
 * @param reading what the reader made of a case that has such a line
 */
export function whyWrongError(
  { yielded, error }: ReadResult,
  vector: NdjsonVector,
): string | undefined {
  const line = vector.error?.line
  if (line === undefined || yielded.length > vector.records.length) {
    return error === undefined
      ? 'bad lines are left out: a catch goes on with the next line.'
      : undefined
  }
  if (error === undefined) return 'bad lines are left out: a catch goes on with the next line.'
  if (yielded.length < vector.records.length) {
    return 'the error overtakes the records before it. controller.error(), for example, throws away what is still queued.'
  }
  const message = messageOf(error).replace(V8_LINE, '')
  if (!/\d/.test(message)) {
    return 'the message does not name the line. JSON.parse() does not know its number: your code has to count.'
  }
  return namesLine(error, line - 1)
    ? 'the lines are counted from 0, or blank ones are not counted.'
    : undefined
}

/**
 * Reads each event stream case in every chunking of its bytes, and with one more event behind it: then it shows what
 * the case has left in the parser. The first that differs is the failure.
 *
 * @param often the likely cause, of a reading that is wrong
 * @param pieces the chunkings to try, when not all of them are
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
        seen: `${inputOf(cut)} gave ${list(reading.yielded)}${thrown(reading)}.`,
        expected: `Expected ${list(events)}. ${vector.why}`,
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
  // The end of a piece is a question of its own, for other checks.
  if (!isOpen || pieces !== inOnePiece) for (const cut of pieces(chunks)) yield { cut, events }
  if (!isOpen) return
  const whole = Buffer.concat([...chunks, LAST_EVENT])
  const more = new EventStreamParser().push(whole)
  yield { cut: [whole], events: more }
  if (pieces === chunkings) yield { cut: [...chunks, LAST_EVENT], events: more }
}

const LAST_EVENT = Buffer.from('data: last\n\n')

/** All bytes at once. */
export function inOnePiece(chunks: Uint8Array[]): Uint8Array[][] {
  return [[Buffer.concat(chunks)]]
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
    // Said when it has come to that: what the reader gave until then, and at no cost before.
    seen: () => `${inputOf(chunks)} gave ${list(yielded)}, and the reader did not come to an end.`,
    expected: 'Expected it to end with the body.',
  })
  if (isNotWritten(outcome.error)) throw outcome.error
  // Many readings that never wait look like an endless loop from outside.
  await turns()
  return outcome
}

/** What an event says, whatever else the object is and has. */
function asEvent(value: unknown): unknown {
  const { type, data, lastEventId } = (value ?? {}) as Record<string, unknown>
  return { type, data, lastEventId }
}

function inputOf(chunks: Uint8Array[]): string {
  if (chunks.length > 6) {
    return `«${excerpt(Buffer.concat(chunks), 48)}» in ${chunks.length} chunks`
  }
  // Not in quotation marks: most of what is in them has its own.
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
  return ` and the error "${shorten(message, MAX_CHARACTERS)}"`
}

const MAX_CHARACTERS = 120

function namesLine(error: unknown, line: number): boolean {
  const message = error instanceof Error ? messageOf(error).replace(V8_LINE, '') : ''
  return new RegExp(`(?<!\\d)${line}(?!\\d)`).test(message)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Where JSON.parse() stopped, within what it was given: from Node 22 on with a line, which is none of the stream. */
const V8_LINE = /( in JSON at position \d+)(?: \(line \d+ column \d+\))?/
