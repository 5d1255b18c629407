import { connect, type Socket } from 'node:net'
import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { responseReader, type Head } from '../../wire/response.ts'
import { EventClient } from './event-client.ts'
import { Failure } from './failure.ts'
import { excerpt, type Transcript } from './transcript.ts'
import { toldNow, type LateStory, type Waiting } from './waiting.ts'

export type RequestOptions = {
  method?: string
  version?: '1.0' | '1.1'
  /** How the client takes the body compressed: `gzip, br`. What is read of it is the text all the same. */
  acceptEncoding?: string | undefined
  /** What the client has, as it says. */
  lastEventId?: string | undefined
  /** Told to nobody: what the check's own machinery wants to know. */
  headers?: Record<string, string | number>
}

type ClientOptions = {
  transcript: Transcript
  waiting: Waiting
  /** How the transcript calls it, where there is more than one. */
  name?: string | undefined
}

/** An HTTP client that hides nothing: a bare socket, the request written by hand. */
export class RawClient {
  readonly name: string
  /** The body, read as an event stream. */
  readonly events: EventClient
  readonly #port: number
  readonly #transcript: Transcript
  readonly #waiting: Waiting
  readonly #socket: Socket
  #response = responseReader()
  #unread: Buffer = Buffer.alloc(0)
  #decoder: Transform | undefined
  /** Pieces that were given to it and are not through yet. */
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
    // A reset is how a server that destroys its socket looks from here; 'close' follows.
    this.#socket.on('error', () => {})
  }

  /** Sends a request. On the same connection only after the last response has ended. */
  request(path: string, options: RequestOptions = {}): void {
    const { method = 'GET', version = '1.1', acceptEncoding, lastEventId, headers } = options
    const cursor = lastEventId === undefined ? '' : `, Last-Event-ID: ${lastEventId}`
    const coding = acceptEncoding === undefined ? '' : `, ${acceptEncoding}`
    const how = `${version === '1.0' ? ' HTTP/1.0' : ''}${coding}${cursor}`
    this.#step(`: ${method} ${path}${how}`)
    this.#response = responseReader(method, version)
    const lines = Object.entries({
      Host: `127.0.0.1:${this.#port}`,
      ...(acceptEncoding !== undefined && { 'Accept-Encoding': acceptEncoding }),
      ...(lastEventId !== undefined && { 'Last-Event-ID': lastEventId }),
      ...headers,
    }).map(([header, value]) => `${header}: ${value}`)
    this.#socket.write([`${method} ${path} HTTP/${version}`, ...lines, '', ''].join('\r\n'))
  }

  /** Sends a request, and returns the head of the response. */
  get(path: string, story: LateStory, options?: RequestOptions): Promise<Head> {
    this.request(path, options)
    return this.head(story)
  }

  /** Returns the head of the response, as soon as it is here. */
  async head(story: LateStory): Promise<Head> {
    const head = await this.#find(() => this.#response.head, story)
    this.#step(` read head ${head.status} ${head.headers.get('content-type') ?? ''}`.trimEnd())
    return head
  }

  /** The head is here, whether or not somebody waits for it. */
  get hasHead(): boolean {
    return this.#response.head !== undefined
  }

  /** The connection is closed, whether or not somebody waits for that. */
  get isClosed(): boolean {
    return this.#closed
  }

  /** Returns the next line of the body without its LF, as soon as the LF is here. */
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

  /** Returns the rest of the body, when `enough(rest)` is true of it. */
  async body(enough: (text: string) => boolean, story: LateStory): Promise<string> {
    await this.#find(() => enough(this.unread()) || undefined, story)
    const bytes = this.#cut(this.#unread.length)
    this.#tellRead(bytes)
    return bytes.toString()
  }

  /** Hands `take` the body as it comes, until it makes something of it. Tells the transcript nothing. */
  read<T>(take: (bytes: Uint8Array) => T | undefined, story: LateStory): Promise<T> {
    return this.#find(() => take(this.#cut(this.#unread.length)), story)
  }

  /** Throws the body away up to and including `mark`. */
  async skipUntil(mark: string, story: LateStory): Promise<void> {
    await this.#find(() => {
      const at = this.#unread.indexOf(mark)
      // What cannot hold the mark any more is thrown away, so that a long body costs no memory.
      if (at === -1) this.#cut(Math.max(0, this.#unread.length - mark.length))
      else this.#cut(at + mark.length)
      return at === -1 ? undefined : true
    }, story)
    this.#step(` read everything up to ${excerpt(mark)}`)
  }

  /**
   * Returns how the response ended: `complete` as HTTP says it ends, or `cut`: the connection closed before that.
   * Without chunks or a length (HTTP/1.0) a close is the only end there is, and counts as complete.
   */
  async ended(story: LateStory): Promise<'complete' | 'cut'> {
    const end = async (): Promise<void> => {
      while (!this.#closed && !this.#response.complete) await this.#change()
    }
    await this.#waiting.withTimeout(end(), story)
    const isComplete = this.#response.complete || this.#response.untilClose
    this.#tellUnread()
    this.#step(isComplete ? ' saw the response end' : ' saw the connection cut')
    return isComplete ? 'complete' : 'cut'
  }

  /** Everything of the body that came and was not read. */
  unread(): string {
    return this.#unread.toString()
  }

  /** Stops taking bytes off the socket. */
  pause(): void {
    this.#step(' stops reading')
    this.#socket.pause()
  }

  resume(): void {
    this.#step(' reads again')
    this.#socket.resume()
  }

  /** Goes without a word, as a closed tab does. */
  disconnect(): void {
    this.#step(' leaves')
    this.close()
  }

  /** The same when the check is over, which is no part of its story. */
  close(): void {
    this.#socket.destroy()
  }

  #step(what: string): void {
    this.#transcript.step(`${this.name}${what}`)
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
    // What cannot be decoded never comes, and whoever waits for it says so.
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

  /** Takes so many bytes off what is unread. */
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
   * Waits until `look()` finds something; fails at once when the response is over without it.
   *
   * @param tellRest tells of what has come all the same, if anything has
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
      this.#transcript.step(tellRest() ? '… no line feed for 2 s' : '… nothing for 2 s'),
    )
  }

  #over(late: LateStory, tellRest: () => void): Failure {
    const story = toldNow(late)
    const { complete } = this.#response
    tellRest()
    this.#step(complete ? ' saw the response end' : ' saw the connection close')
    const how = complete ? 'The response ended' : 'The connection was closed'
    return new Failure({ ...story, seen: `${story.seen.replace(/\.$/, '')}. ${how} instead.` })
  }

  /** Something may have come, and only its end is missing. */
  #withUnread(failure: Failure): Failure {
    const { length } = this.#unread
    if (length === 0) return failure
    const { often: _, seen, ...story } = failure.story
    return new Failure({
      ...story,
      seen: `${seen} It has ${length} bytes without a line feed: ${excerpt(this.#unread)}`,
      cause: 'a line is complete with its line feed. Until then nobody can tell that it is.',
    })
  }

  #tellRead(bytes: Buffer): void {
    this.#step(` read ${bytes.length} bytes  ${excerpt(bytes, 48)}`)
  }

  #tellUnread(): boolean {
    const { length } = this.#unread
    if (length > 0) this.#step(` has ${length} bytes  ${excerpt(this.#unread, 48)}`)
    return length > 0
  }
}

/** For the codings that browsers name. Node has had zstd since 22.15. */
const DECODERS: Record<string, () => Transform> = {
  gzip: zlib.createGunzip,
  deflate: zlib.createInflate,
  br: zlib.createBrotliDecompress,
  ...('createZstdDecompress' in zlib && {
    zstd: zlib.createZstdDecompress as () => Transform,
  }),
}
