import { connect, type Socket } from 'node:net'
import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import type { ResponseHead } from '../../wire/message-head.ts'
import { responseReader } from '../../wire/response.ts'
import { EventClient } from './event-client.ts'
import { Failure } from './failure.ts'
import { excerpt, type Transcript } from './transcript.ts'
import { toldNow, type LateStory, type Waiting } from './waiting.ts'

export type RequestOptions = {
  method?: string
  version?: '1.0' | '1.1'
  /** The Accept-Encoding of the request: `gzip, br`. A compressed body is decompressed. */
  acceptEncoding?: string | undefined
  /** The Last-Event-ID of the request. */
  lastEventId?: string | undefined
  /** The Idempotency-Key of the request. */
  idempotencyKey?: string | undefined
  /** Headers for the check's own machinery. The transcript omits them. */
  headers?: Record<string, string | number>
  /** The JSON to send with the request. */
  body?: string | undefined
}

type ClientOptions = {
  transcript: Transcript
  waiting: Waiting
  /** The client's name in the transcript, if there are several clients. */
  name?: string | undefined
}

/** An HTTP client on a bare socket, which can see every byte of the response. */
export class RawClient {
  readonly name: string
  /** Reads the body as an event stream. */
  readonly events: EventClient
  readonly #port: number
  readonly #transcript: Transcript
  readonly #waiting: Waiting
  readonly #socket: Socket
  #response = responseReader()
  #unread: Buffer = Buffer.alloc(0)
  #decoder: Transform | undefined
  /** The number of pieces of the body that the decoder has not processed yet. */
  #decoding = 0
  #closed = false
  #wake = (): void => {}

  constructor(port: number, { transcript, waiting, name = 'client' }: ClientOptions) {
    this.name = name
    this.#port = port
    this.#transcript = transcript
    this.#waiting = waiting
    this.events = new EventClient(this, transcript)
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('data', (bytes) => this.#take(bytes))
    this.#socket.on('close', () => {
      this.#closed = true
      this.#wake()
    })
    // Ignore the error, because a 'close' event follows. The error may be a reset if the server destroys its socket.
    this.#socket.on('error', () => {})
  }

  /** Sends a request. Any earlier response on the connection must have ended. */
  request(path: string, options: RequestOptions = {}): void {
    const { method = 'GET', version = '1.1', acceptEncoding, headers, body } = options
    const { lastEventId, idempotencyKey } = options
    const cursor = lastEventId === undefined ? '' : `, Last-Event-ID: ${lastEventId}`
    const coding = acceptEncoding === undefined ? '' : `, ${acceptEncoding}`
    const key = idempotencyKey === undefined ? '' : `, Idempotency-Key: ${idempotencyKey}`
    const how = `${version === '1.0' ? ' HTTP/1.0' : ''}${coding}${key}${cursor}`
    const sent = `${method} ${path}${how}${body === undefined ? '' : `  ${excerpt(body)}`}`
    this.#transcript.step(`${this.name}: ${sent}`, { at: this.name, to: SERVER, label: sent })
    this.#response = responseReader(method, version)
    const lines = Object.entries({
      Host: `127.0.0.1:${this.#port}`,
      ...(acceptEncoding !== undefined && { 'Accept-Encoding': acceptEncoding }),
      ...(lastEventId !== undefined && { 'Last-Event-ID': lastEventId }),
      ...(idempotencyKey !== undefined && { 'Idempotency-Key': idempotencyKey }),
      ...(body !== undefined && {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
      }),
      ...headers,
    }).map(([header, value]) => `${header}: ${value}`)
    const head = [`${method} ${path} HTTP/${version}`, ...lines, '', '']
    this.#socket.write(head.join('\r\n') + (body ?? ''))
  }

  /** Sends a request, and returns the head of the response. */
  get(path: string, story: LateStory, options?: RequestOptions): Promise<ResponseHead> {
    this.request(path, options)
    return this.head(story)
  }

  /** Returns the head of the response as soon as it has arrived. */
  async head(story: LateStory): Promise<ResponseHead> {
    const head = await this.#find(() => this.#response.head, story)
    const type = head.headers.get('content-type') ?? ''
    this.#got(` read head ${head.status} ${type}`.trimEnd(), `head ${head.status}`)
    return head
  }

  /** Whether the head has arrived. */
  get hasHead(): boolean {
    return this.#response.head !== undefined
  }

  /** Whether the connection is closed. */
  get isClosed(): boolean {
    return this.#closed
  }

  /** Returns the next line of the body, without its LF, as soon as the LF has arrived. */
  async line(story: LateStory): Promise<string> {
    const end = await this.#find(
      () => {
        const lf = this.#unread.indexOf('\n')
        return lf === -1 ? undefined : lf
      },
      story,
      () => this.#tellUnread(),
    ).catch((failure: unknown) => {
      throw failure instanceof Failure ? this.#withUnread(failure) : failure
    })
    const line = this.#cut(end + 1)
    this.#tellRead(line)
    return line.subarray(0, end).toString()
  }

  /** Returns the unread body as soon as `enough()` returns true for it. */
  async body(enough: (text: string) => boolean, story: LateStory): Promise<string> {
    await this.#find(() => enough(this.unread()) || undefined, story)
    const bytes = this.#cut(this.#unread.length)
    this.#tellRead(bytes)
    return bytes.toString()
  }

  /** Passes the arriving body to `take()` until `take()` returns a value. Adds nothing to the transcript. */
  read<T>(take: (bytes: Uint8Array) => T | undefined, story: LateStory): Promise<T> {
    return this.#find(() => take(this.#cut(this.#unread.length)), story)
  }

  /** Discards the body up to and including `mark`. */
  async skipUntil(mark: string, story: LateStory): Promise<void> {
    await this.#find(() => {
      const at = this.#unread.indexOf(mark)
      // Discard the part that cannot contain the mark, so that a long body does not use up memory.
      if (at === -1) this.#cut(Math.max(0, this.#unread.length - mark.length))
      else this.#cut(at + mark.length)
      return at === -1 ? undefined : true
    }, story)
    this.#got(` read everything up to ${excerpt(mark)}`, `everything up to ${excerpt(mark)}`)
  }

  /**
   * Returns the outcome of the response: `complete`, or `cut` if the connection closed too early. Without chunked
   * encoding or a Content-Length (HTTP/1.0), closing the connection ends the body, so the outcome is `complete`.
   */
  async ended(story: LateStory): Promise<'complete' | 'cut'> {
    const end = async (): Promise<void> => {
      while (!this.#closed && !this.#response.complete) await this.#change()
    }
    await this.#waiting.withTimeout(end(), story)
    const isComplete = this.#response.complete || this.#response.untilClose
    this.#tellUnread()
    this.#sawEnd(isComplete ? 'response end' : 'connection cut')
    return isComplete ? 'complete' : 'cut'
  }

  /** Returns the part of the body that has arrived but has not been read. */
  unread(): string {
    return this.#unread.toString()
  }

  /** Stops reading from the socket. */
  pause(): void {
    this.#did('stops reading')
    this.#socket.pause()
  }

  resume(): void {
    this.#did('reads again')
    this.#socket.resume()
  }

  /** Disconnects without notice, as a closed tab does. */
  disconnect(): void {
    this.#did('leaves')
    this.close()
  }

  /** Disconnects at the end of the check. Adds nothing to the transcript. */
  close(): void {
    this.#socket.destroy()
  }

  #did(label: string): void {
    this.#transcript.step(`${this.name} ${label}`, { at: this.name, label })
  }

  #waited(label: string): void {
    this.#transcript.step(label, { at: this.name, label })
  }

  /** @param label what the client got from the server */
  #got(what: string, label: string): void {
    this.#transcript.step(`${this.name}${what}`, { at: SERVER, to: this.name, label })
  }

  #sawEnd(what: 'response end' | 'connection cut' | 'connection close'): void {
    this.#got(` saw the ${what}`, what)
  }

  #take(bytes: Uint8Array): void {
    const data = this.#response.push(bytes).filter((segment) => segment.kind === 'data')
    const body = Buffer.concat(data.map((segment) => segment.bytes))
    const coding = this.#response.head?.headers.get('content-encoding')
    const newDecoder = coding === undefined ? undefined : DECODERS[coding.toLowerCase()]
    if (newDecoder) this.#decode(body, newDecoder)
    else this.#add(body)
  }

  #decode(body: Buffer, newDecoder: () => Transform): void {
    // Ignore the error, because the check's wait fails anyway if the body cannot be decoded.
    this.#decoder ??= newDecoder()
      .on('data', (bytes: Buffer) => this.#add(bytes))
      .on('error', () => this.#wake())
    this.#decoding += 1
    this.#decoder.write(body, () => {
      this.#decoding -= 1
      this.#wake()
    })
  }

  #add(body: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, body])
    this.#wake()
  }

  /** Removes the first `size` bytes of the unread body and returns them. */
  #cut(size: number): Buffer {
    const taken = this.#unread.subarray(0, size)
    this.#unread = this.#unread.subarray(size)
    return taken
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  /**
   * Waits until `look()` returns a value. Fails immediately if the response ends first.
   *
   * @param tellRest adds the unread rest of the body to the transcript; returns whether there is any
   */
  #find<T>(
    look: () => T | undefined,
    story: LateStory,
    tellRest = (): boolean => false,
  ): Promise<T> {
    const found = async (): Promise<T> => {
      for (;;) {
        const value = look()
        if (value !== undefined) return value
        const isOver = this.#closed || this.#response.complete
        if (isOver && this.#decoding === 0) throw this.#over(story, tellRest)
        await this.#change()
      }
    }
    return this.#waiting.withTimeout(found(), story, () =>
      this.#waited(tellRest() ? '… no line feed for 2 s' : '… nothing for 2 s'),
    )
  }

  #over(late: LateStory, tellRest: () => void): Failure {
    const story = toldNow(late)
    const { complete } = this.#response
    tellRest()
    this.#sawEnd(complete ? 'response end' : 'connection close')
    const how = complete ? 'The response ended' : 'The connection was closed'
    return new Failure({ ...story, seen: `${story.seen.replace(/\.$/, '')}. ${how} instead.` })
  }

  /** Adds the unread bytes to a failure, because perhaps only the end of a line is missing. */
  #withUnread(failure: Failure): Failure {
    const { length } = this.#unread
    if (length === 0) return failure
    const { often: _, seen, ...story } = failure.story
    return new Failure({
      ...story,
      seen: `${seen} The client got ${length} bytes without a line feed: ${excerpt(this.#unread)}`,
      cause: 'a line is complete only when its line feed arrives.',
    })
  }

  #tellRead(bytes: Buffer): void {
    this.#got(` read ${bytes.length} bytes  ${excerpt(bytes, 48)}`, excerpt(bytes, 48))
  }

  #tellUnread(): boolean {
    const { length } = this.#unread
    const text = excerpt(this.#unread, 48)
    if (length > 0) this.#got(` has ${length} bytes  ${text}`, text)
    return length > 0
  }
}

/** The party that answers, in pictures. */
const SERVER = 'server'

/** Decoders for the encodings that browsers accept. Node supports zstd since 22.15. */
const DECODERS: Record<string, () => Transform> = {
  gzip: zlib.createGunzip,
  deflate: zlib.createInflate,
  br: zlib.createBrotliDecompress,
  ...('createZstdDecompress' in zlib && {
    zstd: zlib.createZstdDecompress as () => Transform,
  }),
}
