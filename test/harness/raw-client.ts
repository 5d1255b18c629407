import { connect as connectSocket, type Socket } from 'node:net'
import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { responseReader, type Head } from '../../wire/response.ts'
import { Failure, type Story } from './failure.ts'
import type { Waiting } from './waiting.ts'
import { excerpt, type Transcript } from './transcript.ts'

/** An HTTP client that hides nothing: a bare socket, the request written by hand. */
export type RawClient = {
  /** Sends a request. On the same connection only after the last response has ended. */
  request(path: string, options?: RequestOptions): void
  /** The head of the response, as soon as it is here. */
  head(story: Story): Promise<Head>
  /** The head is here, whether or not somebody waits for it. */
  readonly hasHead: boolean
  /** The next line of the body without its LF, as soon as the LF is here. */
  line(story: Story): Promise<string>
  /** The rest of the body, when `enough(rest)` is true of it. */
  body(enough: (text: string) => boolean, story: Story): Promise<string>
  /** Hands `take` the body as it comes, until it makes something of it. Tells the transcript nothing. */
  read<T>(take: (bytes: Uint8Array) => T | undefined, story: Story): Promise<T>
  /** Throws the body away up to and including `mark`. */
  skipUntil(mark: string, story: Story): Promise<void>
  /**
   * How the response ended: `complete` as HTTP says it ends, or `cut`: the connection closed before that.
   * Without chunks or a length (HTTP/1.0) a close is the only end there is, and counts as complete.
   */
  ended(story: Story): Promise<'complete' | 'cut'>
  /** Everything of the body that came and was not read. */
  unread(): string
  /** Stops and starts taking bytes off the socket. */
  pause(): void
  resume(): void
  /** Goes without a word, as a closed tab does. */
  disconnect(): void
  /** The same when the check is over, which is no part of its story. */
  close(): void
}

export type RequestOptions = {
  method?: string
  version?: '1.0' | '1.1'
  /** How the client takes the body compressed: `gzip, br`. What is read of it is the text all the same. */
  acceptEncoding?: string | undefined
  /** What the client has, as it says. */
  lastEventId?: string
  /** Told to nobody: what the check's own machinery wants to know. */
  headers?: Record<string, string | number>
}

/** @param name how the transcript calls it, where there is more than one */
export function connectRaw(
  port: number,
  {
    transcript,
    waiting,
    name = 'client',
  }: { transcript: Transcript; waiting: Waiting; name?: string },
): RawClient {
  const socket: Socket = connectSocket({ port, host: '127.0.0.1', noDelay: true })
  let response = responseReader()
  let unread: Buffer = Buffer.alloc(0)
  let decoder: Transform | undefined
  /** Pieces that were given to it and are not through yet. */
  let decoding = 0
  let closed = false
  let wake = (): void => {}

  socket.on('data', (bytes) => {
    const data = response.push(bytes).filter((segment) => segment.kind === 'data')
    const body = Buffer.concat(data.map((segment) => segment.bytes))
    const coding = response.head?.headers.get('content-encoding')
    const newDecoder = coding === undefined ? undefined : DECODERS[coding.toLowerCase()]
    if (newDecoder) decode(body, newDecoder)
    else came(body)
  })

  function came(body: Buffer): void {
    unread = Buffer.concat([unread, body])
    wake()
  }

  function decode(body: Buffer, newDecoder: () => Transform): void {
    // What cannot be decoded never comes, and whoever waits for it says so.
    decoder ??= newDecoder().on('data', came).on('error', wake)
    decoding += 1
    decoder.write(body, () => {
      decoding -= 1
      wake()
    })
  }

  socket.on('close', () => {
    closed = true
    wake()
  })
  // A reset is how a server that destroys its socket looks from here; 'close' follows.
  socket.on('error', () => {})

  /**
   * Waits until `look()` finds something; fails at once when the response is over without it.
   *
   * @param tellRest tells of what has come all the same, if anything has
   */
  async function seen<T>(
    look: () => T | undefined,
    story: Story,
    tellRest = (): boolean => false,
  ): Promise<T> {
    const found = async (): Promise<T> => {
      for (;;) {
        const value = look()
        if (value !== undefined) return value
        if ((closed || response.complete) && decoding === 0) throw over(story, tellRest)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
    return waiting.withTimeout(found(), story, () => {
      transcript.step(tellRest() ? '… no line feed for 2 s' : '… nothing for 2 s')
    })
  }

  function over(story: Story, tellRest: () => void): Failure {
    tellRest()
    const how = response.complete ? 'The response ended' : 'The connection was closed'
    transcript.step(
      response.complete ? `${name} saw the response end` : `${name} saw the connection close`,
    )
    return new Failure({ ...story, seen: `${story.seen.replace(/\.$/, '')}. ${how} instead.` })
  }

  /** Something may have come, and only its end is missing. */
  function withUnread({ story }: Failure): Failure {
    if (unread.length === 0) return new Failure(story)
    const what = `${unread.length} bytes without a line feed`
    const { often: _, ...told } = story
    return new Failure({
      ...told,
      seen: `${story.seen} It has ${what}: ${excerpt(unread)}`,
      cause: 'a line is complete with its line feed. Until then nobody can tell that it is.',
    })
  }

  function tellUnread(): boolean {
    if (unread.length === 0) return false
    transcript.step(`${name} has ${unread.length} bytes  ${excerpt(unread, 48)}`)
    return true
  }

  function take(bytes: number): Buffer {
    const taken = unread.subarray(0, bytes)
    unread = unread.subarray(bytes)
    return taken
  }

  return {
    request(
      path,
      { method = 'GET', version = '1.1', acceptEncoding, lastEventId, headers = {} } = {},
    ) {
      const cursor = lastEventId === undefined ? '' : `, Last-Event-ID: ${lastEventId}`
      const coding = acceptEncoding === undefined ? '' : `, ${acceptEncoding}`
      const how = `${version === '1.0' ? ' HTTP/1.0' : ''}${coding}${cursor}`
      transcript.step(`${name}: ${method} ${path}${how}`)
      response = responseReader(method, version)
      const lines = Object.entries({
        Host: `127.0.0.1:${port}`,
        ...(acceptEncoding !== undefined && { 'Accept-Encoding': acceptEncoding }),
        ...(lastEventId !== undefined && { 'Last-Event-ID': lastEventId }),
        ...headers,
      }).map(([header, value]) => `${header}: ${value}`)
      socket.write([`${method} ${path} HTTP/${version}`, ...lines, '', ''].join('\r\n'))
    },
    async head(story) {
      const head = await seen(() => response.head, story)
      transcript.step(
        `${name} read head ${head.status} ${head.headers.get('content-type') ?? ''}`.trimEnd(),
      )
      return head
    },
    get hasHead() {
      return response.head !== undefined
    },
    async line(story) {
      const end = await seen(
        () => {
          const lf = unread.indexOf('\n')
          return lf === -1 ? undefined : lf
        },
        story,
        tellUnread,
      ).catch((failure: unknown) => {
        throw failure instanceof Failure ? withUnread(failure) : failure
      })
      const line = take(end + 1)
      transcript.step(`${name} read ${line.length} bytes  ${excerpt(line, 48)}`)
      return line.subarray(0, end).toString()
    },
    async body(enough, story) {
      await seen(() => (enough(unread.toString()) ? true : undefined), story)
      const bytes = take(unread.length)
      transcript.step(`${name} read ${bytes.length} bytes  ${excerpt(bytes, 48)}`)
      return bytes.toString()
    },
    read: (reader, story) => seen(() => reader(take(unread.length)), story),
    async skipUntil(mark, story) {
      await seen(() => {
        const at = unread.indexOf(mark)
        // What cannot hold the mark any more is thrown away, so that a long body costs no memory.
        if (at === -1) take(Math.max(0, unread.length - mark.length))
        else take(at + mark.length)
        return at === -1 ? undefined : true
      }, story)
      transcript.step(`${name} read everything up to ${excerpt(mark)}`)
    },
    async ended(story) {
      const how = await waiting.withTimeout(
        (async () => {
          while (!closed && !response.complete) {
            await new Promise<void>((resolve) => {
              wake = resolve
            })
          }
          return response.complete || response.untilClose ? ('complete' as const) : ('cut' as const)
        })(),
        story,
      )
      tellUnread()
      transcript.step(
        how === 'complete' ? `${name} saw the response end` : `${name} saw the connection cut`,
      )
      return how
    },
    unread: () => unread.toString(),
    pause() {
      transcript.step(`${name} stops reading`)
      socket.pause()
    },
    resume() {
      transcript.step(`${name} reads again`)
      socket.resume()
    },
    disconnect() {
      transcript.step(`${name} leaves`)
      socket.destroy()
    },
    close: () => void socket.destroy(),
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
