import { bodyOfChunks } from './controlled-body.ts'
import type { Tools } from './check.ts'
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
 * @param usual the likely cause, where the case does not say another one
 */
export async function mustReadNdjson(
  t: Tools,
  read: Reader,
  vectors: NdjsonVector[],
  usual: string,
): Promise<void> {
  for (const { chunks, records, error, level, often = usual, ...vector } of vectors) {
    if (level === 'interpretation') continue
    for (const cut of chunkings(chunks)) {
      const reading = await readAll(t, read, cut, vector)
      const wanted = `Expected ${list(records)}${error ? ` and then an error that names line ${error.line}` : ''}. ${vector.why}`
      must(deepEqual(reading.yielded, records), {
        seen: `${inputOf(cut)} gave ${list(reading.yielded)}${thrown(reading)}.`,
        expected: wanted,
        often,
      })
      must(error ? namesLine(reading.error, error.line) : reading.error === undefined, {
        seen: `${inputOf(cut)} gave ${list(reading.yielded)}${thrown(reading) || ' and no error'}.`,
        expected: wanted,
        often,
      })
    }
  }
}

/**
 * Reads each event stream case in every chunking of its bytes. The first that differs is the failure.
 *
 * @param often the likely cause, of a reading that is wrong
 * @param pieces the chunkings to try, when not all of them are
 */
export async function mustReadEvents(
  t: Tools,
  read: Reader,
  vectors: SseVector[],
  often: string | ((reading: ReadResult) => string),
  pieces: (chunks: Uint8Array[]) => Iterable<Uint8Array[]> = chunkings,
): Promise<void> {
  for (const { chunks, events, level, ...vector } of vectors) {
    if (level === 'interpretation') continue
    for (const cut of pieces(chunks)) {
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
  return error === undefined ? '' : ` and the error "${messageOf(error).replace(V8_LINE, '$1')}"`
}

function namesLine(error: unknown, line: number): boolean {
  const message = error instanceof Error ? messageOf(error).replace(V8_LINE, '') : ''
  return new RegExp(`(?<!\\d)${line}(?!\\d)`).test(message)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Where JSON.parse() stopped, within what it was given: from Node 22 on with a line, which is none of the stream. */
const V8_LINE = /( in JSON at position \d+)(?: \(line \d+ column \d+\))?/
