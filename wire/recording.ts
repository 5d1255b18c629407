import type { Entry, RecordedEntry } from './entry.ts'
import type { Recorder } from './recorder.ts'

/** A recording from a file. The entries before `from` are not shown, and serve only to interpret the later entries. */
export type SavedRecording = { entries: RecordedEntry[]; from: number } & Origin

/** Where and when a recording was made. Older files do not say it. */
export type Origin = {
  /** The origin of the recorded server: `http://127.0.0.1:8080`. */
  server?: string
  /** The time at which the recording began. */
  began?: Date
}

/**
 * Yields the lines of a recording file: newline-delimited JSON, one line per entry, with its bytes in base64.
 *
 * @param from the first entry to show; the user has cleared the entries before it
 * @param server the origin of the server
 */
export function* serializeRecording(
  recorder: Recorder,
  from = 1,
  server?: string,
): Generator<string> {
  yield `${JSON.stringify({ format: `${FORMAT} ${VERSION}`, from, server, began: recorder.began })}\n`
  // Stop at the entry that is the newest now, because new entries may keep arriving forever.
  const { newest } = recorder
  let n = 0
  while (n < newest) {
    const some = recorder.recordedAfter(n, 1000)
    n = some.at(-1)?.entry.n ?? newest
    for (const { entry, bytes } of some) {
      yield `${JSON.stringify({ ...entry, ...(bytes && { bytes: toBase64(bytes) }) })}\n`
    }
  }
}

/**
 * Parses a file that `serializeRecording()` wrote.
 *
 * @throws Error with a sentence for the user if the text is not a recording or one of its lines is broken
 */
export function parseRecording(text: string): SavedRecording {
  const [head = '', ...lines] = text.split('\n').filter((line) => line !== '')
  const { format, from, server, began } = parsed(head) ?? {}
  const [, version] = FIRST_LINE.exec(String(format)) ?? []
  if (version === undefined || !Number.isSafeInteger(from)) {
    throw new Error('This file is not a recording of the wire. Its first line would say so.')
  }
  if (Number(version) > VERSION) {
    throw new Error('A newer version of the workshop saved this recording.')
  }
  const entries = lines.map((line, index) => {
    const saved = parsed(line)
    if (!saved || !isEntry(saved)) {
      throw new Error(`Line ${index + 2} of this recording is broken.`)
    }
    const isTooLong =
      (saved.bytes ?? '').length > MOST_BASE64 ||
      textsOf(saved).some((part = '') => part.length > LONGEST_TEXT)
    if (isTooLong) {
      throw new Error(
        `Line ${index + 2} of this recording is longer than anything that the workshop records.`,
      )
    }
    const { bytes, ...entry } = saved
    return { entry, ...(bytes !== undefined && { bytes: fromBase64(bytes) }) }
  })
  return {
    entries,
    from: from as number,
    ...(typeof server === 'string' && server.length <= LONGEST_TEXT && { server }),
    ...(typeof began === 'string' && isDate(began) && { began: new Date(began) }),
  }
}

const FORMAT = 'http-streaming-workshop wire'
/** The version of the format. Version 1 did not contain `server` and `began`. */
const VERSION = 2
const FIRST_LINE = /^http-streaming-workshop wire (\d{1,3})$/

function isDate(text: string): boolean {
  return !Number.isNaN(Date.parse(text))
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** Returns whether a parsed line is a valid entry, because the file may come from anywhere. */
function isEntry(saved: Record<string, unknown>): saved is Entry & { bytes?: string } {
  const { n, at, kind, connection, hop, direction, size, cursor, bytes, text } = saved
  if (!Number.isSafeInteger(n) || typeof at !== 'number' || !Number.isFinite(at)) return false
  if (kind === 'note') return typeof text === 'string'
  if (!Number.isSafeInteger(connection)) return false
  if (kind === 'opened') return true
  if (kind === 'closed') return typeof text === 'string' && typeof saved.isFailure === 'boolean'
  return (
    kind === 'arrived' &&
    typeof hop === 'string' &&
    (direction === 'request' || direction === 'response') &&
    Number.isSafeInteger(size) &&
    (cursor === undefined || typeof cursor === 'string') &&
    typeof bytes === 'string' &&
    /^[A-Za-z0-9+/]*={0,2}$/.test(bytes)
  )
}

function textsOf(entry: Entry): (string | undefined)[] {
  if (entry.kind === 'arrived') return [entry.cursor, entry.hop]
  return 'text' in entry ? [entry.text] : []
}

/** An arrival is what one read of a socket returns, at most 64 KiB. Interpreting many megabytes would take minutes. */
const MOST_BASE64 = 500_000
/** The longest text is a `Last-Event-ID`. Node accepts requests with up to 16 KiB of headers. */
const LONGEST_TEXT = 20_000

// Do without Buffer, because the page also runs this file.
export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  }
  return btoa(text)
}

export function fromBase64(text: string): Uint8Array {
  const decoded = atob(text)
  const bytes = new Uint8Array(decoded.length)
  // Uint8Array.from() would need seconds for an arrival of some megabytes.
  for (let at = 0; at < decoded.length; at += 1) bytes[at] = decoded.charCodeAt(at)
  return bytes
}
