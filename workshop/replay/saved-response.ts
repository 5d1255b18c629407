import { readFileSync } from 'node:fs'
import { endOf, type HarEntry } from '../../wire/har.ts'
import { messagesIn, type Field, type Message, type Piece } from '../../wire/messages.ts'
import { parseRecording, type Origin } from '../../wire/recording.ts'

/** A response to replay. Times are in milliseconds since its request. */
export type SavedResponse = {
  method: string
  /** The path with its query. */
  target: string
  status: number
  reason: string
  fields: Field[]
  /** Whether only the close of the connection ended the response. */
  isUntilClose: boolean
  headAt: number
  pieces: Piece[]
  end: HarEntry['_end']
  endAt: number
}

export type Saved = Origin & {
  responses: SavedResponse[]
  /** The reasons why something in the file is not replayed, in sentences. */
  leftOut: string[]
}

/**
 * Reads the responses in a recording or a HAR file.
 *
 * @throws Error with a sentence for the user
 */
export function readSaved(path: string, name: string): Saved {
  const text = readText(path, name)
  const har = harIn(text)
  const saved = har ? fromHar(har) : fromRecording(text)
  if (saved.responses.length > 0) return saved
  const why = saved.leftOut.length > 0 ? `: ${saved.leftOut.join(' ')}` : '.'
  throw new Error(`There is no response to replay in ${name}${why}`)
}

function readText(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new Error(`There is no file ${name}.`, { cause: error })
    throw new Error(`${name} cannot be read (${code}).`, { cause: error })
  }
}

function fromRecording(text: string): Saved {
  const { entries, from, server, began } = parseRecording(text)
  if (entries.length === 0) throw new Error('This recording is empty.')
  const messages = messagesIn(entries).filter(({ exchange }) => exchange.lastEntry >= from)
  const upgraded = messages.filter(({ exchange }) => exchange.protocol)
  const answered = messages.filter(({ exchange, response }) => response && !exchange.protocol)
  return {
    ...(server !== undefined && { server }),
    ...(began && { began }),
    responses: answered.map(savedResponse),
    leftOut: [
      ...upgraded.map(({ exchange }) => `${exchange.target} became a ${exchange.protocol}.`),
      ...unanswered(messages.length - answered.length - upgraded.length),
    ],
  }
}

function savedResponse(message: Message): SavedResponse {
  const { exchange, response } = message
  const { startedAt, endedAt, headAt = startedAt } = exchange
  const { fields, firstLine, body, isUntilClose } = response!
  const pieces = body.map(({ at, bytes }) => ({ at: at - startedAt, bytes }))
  return {
    method: exchange.method,
    target: pathOf(exchange.target),
    status: exchange.status!,
    reason: firstLine.split(' ').slice(2).join(' '),
    fields,
    isUntilClose,
    headAt: headAt - startedAt,
    pieces,
    end: endOf(message),
    endAt: endedAt === undefined ? (pieces.at(-1)?.at ?? headAt - startedAt) : endedAt - startedAt,
  }
}

type HarFile = { log: { entries: HarEntry[]; comment?: string } }

function harIn(text: string): HarFile | undefined {
  try {
    const file = JSON.parse(text)
    return Array.isArray(file?.log?.entries) ? file : undefined
  } catch {
    return undefined
  }
}

function fromHar({ log: { entries } }: HarFile): Saved {
  if (entries.length === 0) throw new Error('This HAR file has no entries.')
  const responses: SavedResponse[] = []
  const leftOut: string[] = []
  for (const [index, entry] of entries.entries()) {
    const where = `entry ${index + 1} of this HAR file`
    const why = reasonToLeaveOut(entry, where)
    if (why) leftOut.push(why)
    else responses.push(responseOf(entry, where))
  }
  return { responses, leftOut }
}

function reasonToLeaveOut(entry: HarEntry, where: string): string | undefined {
  if (!entry?.request?.url || !entry.response?.headers || !entry.response.content) {
    throw new Error(`The ${where} is broken.`)
  }
  const { request, response, _webSocketMessages: messages } = entry
  const what = new URL(request.url).pathname
  if (messages || response.status === 101) return `${what} became a WebSocket.`
  if (response.status < 200) return `${what} has no response.`
  if (!Array.isArray(entry._chunks)) {
    return `${what} does not say when its chunks arrived, in the field _chunks.`
  }
  const { headers } = response
  const encoding = headers.find(({ name }) => name.toLowerCase() === 'content-encoding')?.value
  if (encoding && encoding !== 'identity') {
    return `${what} was compressed, and a HAR file contains only the decompressed text. Replay the recording instead.`
  }
  return undefined
}

function responseOf(entry: HarEntry, where: string): SavedResponse {
  const { request, response, timings, time, _chunks, _end = 'complete' } = entry
  const { text = '', encoding } = response.content
  const body = Buffer.from(text, encoding === 'base64' ? 'base64' : 'utf8')
  const size = _chunks.reduce((sum, { bytes }) => sum + bytes, 0)
  if (size !== body.length) {
    throw new Error(
      `The ${where} is broken: its chunks have ${size} bytes, but its text has ${body.length}.`,
    )
  }
  let from = 0
  const pieces = _chunks.map(({ timestamp, bytes }) => {
    const piece = { at: timestamp, bytes: body.subarray(from, from + bytes) }
    from += bytes
    return piece
  })
  const names = response.headers.map(({ name }) => name.toLowerCase())
  return {
    method: request.method,
    target: pathOf(request.url),
    status: response.status,
    reason: response.statusText,
    fields: response.headers,
    isUntilClose: !names.includes('transfer-encoding') && !names.includes('content-length'),
    headAt: (timings.send ?? 0) + timings.wait,
    pieces,
    end: _end,
    endAt: time,
  }
}

/** Returns the path and the query of a request's target, which may be an absolute URL. */
function pathOf(target: string): string {
  if (!/^https?:\/\//i.test(target)) return target
  const { pathname, search } = new URL(target)
  return pathname + search
}

function unanswered(count: number): string[] {
  if (count === 0) return []
  return [count === 1 ? 'One request has no response.' : `${count} requests have no response.`]
}
