import { readFileSync } from 'node:fs'
import { sampleEvery } from './sampling.ts'

/** A conformance case for an NDJSON reader, which must yield `records` and then throw `error`, if there is one. */
export type NdjsonVector = Vector & {
  maxLineBytes?: number
  records: unknown[]
  error?: { line: number; kind: 'json' | 'too-long' | 'truncated' }
}

/** A conformance case for an event stream parser. */
export type SseVector = Vector & {
  events: { type: string; data: string; lastEventId: string }[]
}

type Vector = {
  name: string
  level: 'spec' | 'stated' | 'interpretation'
  tags: string[]
  why: string
  /** The likely cause if a reader gets this case wrong. */
  often?: string
  chunks: Uint8Array[]
}

export function ndjsonVectors(): NdjsonVector[] {
  return load('ndjson.json').map((vector) => ({
    ...vector,
    chunks: vector.chunks.flatMap(bytesOf),
    records: vector.records.flatMap(recordsOf),
  }))
}

export function sseVectors(): SseVector[] {
  return load('sse.json').map((vector) => ({
    ...vector,
    chunks: vector.chunks.flatMap(bytesOf),
    events: vector.events.map((event: { data: string | Repeated }) => ({
      ...event,
      data: textOf(event.data),
    })),
  }))
}

/** Yields the relevant chunkings of the bytes: in one piece, byte by byte, and split in two at each position. */
export function* chunkings(chunks: Uint8Array[]): Generator<Uint8Array[]> {
  yield chunks
  const whole = Buffer.concat(chunks)
  yield [whole]
  // Do not split a megabyte further, because that takes seconds and shows nothing that a hundred bytes would not show.
  if (whole.length > 1024) return
  yield [...whole].map((byte) => Uint8Array.of(byte))
  for (let cut = 1; cut < whole.length; cut += sampleEvery()) {
    yield [whole.subarray(0, cut), whole.subarray(cut)]
  }
}

/** Yields the bytes split in two at each position, with an empty chunk in between, which must have no effect. */
export function* splitsWithEmptyChunk(chunks: Uint8Array[]): Generator<Uint8Array[]> {
  const whole = Buffer.concat(chunks)
  for (let cut = 1; cut < whole.length; cut += sampleEvery()) {
    yield [whole.subarray(0, cut), new Uint8Array(0), whole.subarray(cut)]
  }
}

/**
 * Yields the chunkings that this version of TextDecoder decodes correctly. Since Node 24, TextDecoder drops a second
 * byte order mark if the first one is split between two chunks, which is not the learner's fault.
 */
export function* chunkingsForDecoder(chunks: Uint8Array[]): Generator<Uint8Array[]> {
  for (const cut of chunkings(chunks)) {
    const first = cut.find((chunk) => chunk.length > 0)
    if (decodesTwoMarks || !first || first.length >= MARK.length) yield cut
  }
}

const MARK = Uint8Array.of(0xef, 0xbb, 0xbf)
const decoder = new TextDecoder()
const decodesTwoMarks =
  decoder.decode(MARK.subarray(0, 1), { stream: true }) +
    decoder.decode(Buffer.concat([MARK.subarray(1), MARK]), { stream: true }) ===
  '\ufeff'

type Repeated = { repeat: string; times: number; split?: number; dropLast?: number }

// oxlint-disable-next-line typescript/no-explicit-any -- data files, described in their own `format`
function load(name: string): any[] {
  return JSON.parse(readFileSync(new URL(`vectors/${name}`, import.meta.url), 'utf8')).cases
}

function bytesOf(chunk: string | { b64: string } | Repeated): Uint8Array[] {
  if (typeof chunk === 'string') return [Buffer.from(chunk)]
  if ('b64' in chunk) return [Buffer.from(chunk.b64, 'base64')]
  const bytes = Buffer.from(chunk.repeat.repeat(chunk.times))
  const { split = bytes.length } = chunk
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += split) pieces.push(bytes.subarray(at, at + split))
  return pieces
}

function recordsOf(record: unknown): unknown[] {
  if (typeof record !== 'object' || record === null) return [record]
  if ('repeatRecord' in record) {
    const { repeatRecord, times } = record as { repeatRecord: unknown; times: number }
    return Array.from({ length: times }, () => repeatRecord)
  }
  if ('repeat' in record) return [textOf(record as Repeated)]
  return [record]
}

function textOf(text: string | Repeated): string {
  if (typeof text === 'string') return text
  const { repeat, times, dropLast = 0 } = text
  return repeat.repeat(times).slice(0, repeat.length * times - dropLast)
}
