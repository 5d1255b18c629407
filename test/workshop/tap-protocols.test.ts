import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  createServer as createHttpServer,
  request,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import {
  connect as connectHttp2,
  createSecureServer,
  createServer as createHttp2,
} from 'node:http2'
import { createServer as createHttps } from 'node:https'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { constants, createBrotliCompress, createDeflate, createGzip } from 'node:zlib'
import { afterEach, expect, test, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { decompress } from '../../wire/decompress.ts'
import type { Entry } from '../../wire/entry.ts'
import type { Exchange } from '../../wire/exchange.ts'
import { startHttp2Bridge } from '../../wire/http2-bridge.ts'
import { interpret, type Interpretation } from '../../wire/interpret.ts'
import type { ProxySetting } from '../../wire/proxy.ts'
import { recorder, type Recorder } from '../../wire/recorder.ts'
import type { ServerAddress } from '../../wire/server-address.ts'
import { tap } from '../../wire/tap.ts'
import { visible } from '../../wire/visible.ts'
import { CERTIFICATE as cert, KEY as key } from './certificate.ts'

// The wire between real clients and real servers, of the kinds that other people have.

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

test('a WebSocket is shown as frames, without the mask of the client', async () => {
  const app = createHttpServer()
  const echo = new WebSocketServer({ server: app })
  echo.on('connection', (socket) => socket.on('message', (data) => socket.send(`you said ${data}`)))
  const wire = await wireTo({ port: await listening(app) })
  const client = new WebSocket(`ws://127.0.0.1:${wire.port}/chat`)
  await once(client, 'open')
  client.send('hello')
  const [answer] = await once(client, 'message')
  expect(String(answer)).toBe('you said hello')
  client.close(1000)
  await once(client, 'close')
  await wire.closed()
  expect(wire.said('request')).toContain('[text, 5 B]hello')
  expect(wire.said('response')).toContain('[text, 14 B]you said hello')
  expect(wire.said('request')).toContain('[close, 2 B]')
  expect(wire.exchanges()).toMatchObject([
    { target: '/chat', status: 101, protocol: 'WebSocket', isFailure: false },
  ])
})

test('long WebSocket messages cost no more than their bytes', async () => {
  const app = createHttpServer()
  const sink = new WebSocketServer({ server: app, maxPayload: SIZE * 2 })
  const wire = await wireTo({ port: await listening(app) })
  const client = new WebSocket(`ws://127.0.0.1:${wire.port}/`, { perMessageDeflate: false })
  const [socket] = (await once(sink, 'connection')) as [WebSocket]
  const sums: string[] = []
  socket.on('message', (data: Buffer) => sums.push(sha256(data)))
  const message = Buffer.alloc(SIZE, 'x')
  client.on('open', () => {
    // Each frame after the first used to be searched for the head of a response, together with all before it.
    for (let n = 0; n < 4; n += 1) client.send(message)
  })
  await vi.waitUntil(() => sums.length === 4, { timeout: 20_000 })
  expect(new Set(sums)).toEqual(new Set([sha256(message)]))
  client.terminate()
})

test('a request with "Expect: 100-continue" gets 100 and then its answer, and hints come before it', async () => {
  const app = createHttpServer(async (asked, response) => {
    await once(asked.resume(), 'end')
    response.writeEarlyHints({ link: '</a.css>; rel=preload' })
    response.end('ok')
  })
  const wire = await wireTo({ port: await listening(app) })
  const asked = request({
    port: wire.port,
    host: '127.0.0.1',
    method: 'POST',
    headers: { Expect: '100-continue', 'Content-Length': 4 },
  })
  const hints: number[] = []
  asked.on('information', ({ statusCode }) => hints.push(statusCode))
  asked.flushHeaders()
  await once(asked, 'continue')
  asked.end('body')
  expect(await textOf(asked)).toBe('ok')
  expect(hints).toEqual([100, 103])
  expect(wire.exchanges()).toMatchObject([{ interim: [100, 103], status: 200, end: 'complete' }])
})

test('five pipelined requests are five, with their five answers', async () => {
  const app = createHttpServer((asked, response) => response.end(`answer to ${asked.url}`))
  const wire = await wireTo({ port: await listening(app) })
  const client = wire.connect()
  const targets = ['/1', '/2', '/3', '/4', '/5']
  client.write(targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''))
  await vi.waitUntil(() => wire.exchanges().filter(({ end }) => end === 'complete').length === 5)
  expect(wire.exchanges().map(({ target }) => target)).toEqual(targets)
  expect(wire.said('response')).not.toContain('[not HTTP')
})

test('heads whose lines end with LF alone are heads', async () => {
  const server = createServer((socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\nContent-Length: 2\n\nok'))
  })
  const wire = await wireTo({ port: await listening(server) })
  const client = wire.connect()
  client.write('GET /bare HTTP/1.1\nHost: a\n\n')
  await once(client.resume(), 'end')
  await vi.waitUntil(() => wire.exchanges()[0]?.end)
  expect(wire.exchanges()).toMatchObject([{ target: '/bare', status: 200, end: 'complete' }])
})

test('HTTP/2 without TLS is shown as frames', async () => {
  const app = createHttp2((_request, response) => response.end('over HTTP/2'))
  const wire = await wireTo({ port: await listening(app as unknown as Server) })
  const client = connectHttp2(`http://127.0.0.1:${wire.port}`)
  const stream = client.request({ ':path': '/' })
  const pieces: Buffer[] = []
  stream.on('data', (piece: Buffer) => pieces.push(piece))
  await once(stream, 'end')
  client.close()
  expect(Buffer.concat(pieces).toString()).toBe('over HTTP/2')
  await wire.closed()
  expect(wire.said('request')).toMatch(
    /\[HTTP\/2 begins\].*\[SETTINGS, \d+ B\].*\[HEADERS of stream 1, /,
  )
  expect(wire.said('response')).toContain('[DATA of stream 1, 11 B]over HTTP/2')
  expect(wire.said('response')).not.toContain('[not HTTP')
})

test('a client that speaks TLS to the wire is said not to be HTTP', async () => {
  const wire = await wireTo({ port: await listening(createServer((socket) => socket.destroy())) })
  const client = wire.connect()
  client.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x0a]))
  await wire.closed()
  expect(wire.said('request')).toContain('[not HTTP')
})

test.each([
  ['gzip', () => createGzip(), constants.Z_SYNC_FLUSH],
  ['deflate', () => createDeflate(), constants.Z_SYNC_FLUSH],
  ['br', () => createBrotliCompress(), constants.BROTLI_OPERATION_FLUSH],
] as const)(
  'the events of a stream that %s compresses are shown as they are flushed',
  async (encoding, compressor, flag) => {
    const app = createHttpServer(async (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Content-Encoding': encoding })
      const zip = compressor()
      zip.pipe(response)
      for (const data of ['one', 'two', 'three']) {
        zip.write(`data: ${data}\n\n`)
        await new Promise<void>((flushed) => zip.flush(flag, flushed))
        // The event is on its own in the next arrival.
        await vi.waitUntil(() => wire.dispatched().includes(data))
      }
      zip.end()
    })
    const wire = await wireTo({ port: await listening(app) })
    const asked = request({ port: wire.port, host: '127.0.0.1' })
    asked.end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    await once(response.resume(), 'end')
    expect(wire.dispatched()).toEqual(['one', 'two', 'three'])
    // gzip and deflate begin with a header, which says nothing yet.
    const first = wire
      .interpretations('response')
      .flatMap(({ decompressed }) => decompressed ?? [])
      .find((each) => 'size' in each && each.size > 0)
    expect(first).toMatchObject({ encoding, size: 'data: one\n\n'.length })
  },
)

test('a compressed stream that is not flushed says nothing before its end', async () => {
  const end = pending<void>()
  const app = createHttpServer(async (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Content-Encoding': 'gzip' })
    const zip = createGzip()
    zip.pipe(response)
    zip.write('data: one\n\n')
    response.flushHeaders()
    await end.promise
    zip.end()
  })
  const wire = await wireTo({ port: await listening(app) })
  const asked = request({ port: wire.port, host: '127.0.0.1' })
  asked.end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  response.resume()
  expect(wire.dispatched()).toEqual([])
  end.resolve()
  await once(response, 'end')
  expect(wire.dispatched()).toEqual(['one'])
})

test('a server with TLS is reached, and its certificate matters unless the user says otherwise', async () => {
  const app = createHttps({ key, cert }, (_request, response) => response.end('secret'))
  const port = await listening(app)
  const trusting = await wireTo({ port, tls: { isInsecure: true } })
  expect(await textOf(trusting.get('/'))).toBe('secret')
  expect(trusting.said('response')).toContain('HTTP/1.1 200 OK')
  const proxied = await wireTo(
    { port, tls: { isInsecure: true } },
    { proxy: { http: '1.0', holds: 'end' } },
  )
  expect(await textOf(proxied.get('/'))).toBe('secret')
  const careful = await wireTo({ port, tls: { isInsecure: false } })
  await expect(textOf(careful.get('/'))).rejects.toThrow('ECONNRESET')
  expect(await careful.closed()).toContain('the certificate of 127.0.0.1')
})

test('a cut and a reset cross TLS', async () => {
  const app = createHttps({ key, cert }, (_request, response) => response.write('half'))
  const { resolve, promise } = pending<string>()
  app.on('secureConnection', (socket: Socket) =>
    socket.once('error', ({ message }) => resolve(message)),
  )
  const wire = await wireTo({ port: await listening(app), tls: { isInsecure: true } })
  const [response] = (await once(wire.get('/'), 'response')) as [IncomingMessage]
  await once(response, 'data')
  wire.cut()
  const [error] = (await once(response, 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNRESET')
  expect(await promise).toContain('ECONNRESET')
})

test.each(['with TLS', 'without TLS'])(
  'a server that speaks only HTTP/2, %s, is reached over a bridge',
  async (how) => {
    const app =
      how === 'with TLS' ? createSecureServer({ key, cert, allowHTTP1: false }) : createHttp2()
    app.on('stream', (stream, { ':method': method, ':path': path, ':authority': authority }) => {
      stream.additionalHeaders({ ':status': 103, link: '</a>; rel=preload' })
      stream.respond(
        {
          ':status': 200,
          'set-cookie': ['a=1', 'b=2'],
          'x-asked': `${method} ${path} of ${authority}`,
        },
        { waitForTrailers: true },
      )
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '42' }))
      stream.pipe(stream)
    })
    const bridge = await startHttp2Bridge({
      port: await listening(app as unknown as Server),
      ...(how === 'with TLS' && { tls: { isInsecure: true } }),
    })
    cleanUps.push(() => bridge.stop())
    const wire = await wireTo({ port: bridge.port })
    const asked = wire.get('/echo', { method: 'POST' })
    const hints: number[] = []
    asked.on('information', ({ statusCode }) => hints.push(statusCode))
    asked.end('hello')
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    expect(await bodyOf(response)).toBe('hello')
    expect(hints).toEqual([103])
    expect(response.headers['set-cookie']).toEqual(['a=1', 'b=2'])
    expect(response.headers['x-asked']).toBe(`POST /echo of 127.0.0.1:${wire.port}`)
    expect(response.trailers).toEqual({ 'x-sum': '42' })
  },
)

test('the bridge resets a client whose stream is reset, so that a cut is not an end', async () => {
  const app = createHttp2()
  app.on('stream', (stream) => {
    stream.on('error', () => {})
    stream.respond({ ':status': 200 })
    stream.write('half', () => stream.destroy(new Error('the app failed')))
  })
  const bridge = await startHttp2Bridge({ port: await listening(app as unknown as Server) })
  cleanUps.push(() => bridge.stop())
  const asked = request({ port: bridge.port, host: '127.0.0.1' }).end()
  // The response reports the error as well.
  asked.on('error', () => {})
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  await expect(bodyOf(response)).rejects.toThrow('aborted')
})

test('with another name, requests get the name of the server, and redirects lead through the wire', async () => {
  const app = createHttpServer((asked, response) => {
    const here = `http://${asked.headers.host}`
    response.writeHead(302, { Location: `${here}/next?a=1`, 'X-Asked': here }).end()
  })
  const port = await listening(app)
  const renamed = await wireTo({ port }, { renames: new URL(`http://localhost:${port}`) })
  const [response] = (await once(renamed.get('/'), 'response')) as [IncomingMessage]
  expect(response.headers['x-asked']).toBe(`http://localhost:${port}`)
  expect(response.headers.location).toBe(`http://127.0.0.1:${renamed.port}/next?a=1`)
  const plain = await wireTo({ port })
  const [other] = (await once(plain.get('/'), 'response')) as [IncomingMessage]
  expect(other.headers['x-asked']).toBe(`http://127.0.0.1:${plain.port}`)
})

test('large bodies cross both ways unchanged, also under another name or through a proxy', async () => {
  const app = createHttpServer((asked, response) => asked.pipe(response))
  const port = await listening(app)
  const body = Buffer.from(
    Uint32Array.from({ length: SIZE / 4 }, (_, n) => n * 2_654_435_761).buffer,
  )
  const renames = new URL(`http://localhost:${port}`)
  for (const options of [{}, { renames }, { proxy: { holds: 4096 } }]) {
    const wire = await wireTo({ port }, options)
    const asked = wire.get('/', { method: 'POST' })
    asked.end(body)
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    const sum = createHash('sha256')
    for await (const piece of response) sum.update(piece as Buffer)
    expect(sum.digest('hex')).toBe(sha256(body))
  }
})

test('a wire before itself ends the request instead of going round in circles', async () => {
  const address: ServerAddress = { port: 0 }
  const wire = await wireTo(address)
  address.port = wire.port
  await expect(textOf(wire.get('/'))).rejects.toThrow('ECONNRESET')
  expect(await wire.closed()).toContain('its server leads back to the wire')
  expect(wire.opened()).toBeLessThan(20)
})

test('two wires before each other end the request as well', async () => {
  const address: ServerAddress = { port: 0 }
  const first = await wireTo(address)
  const second = await wireTo({ port: first.port })
  address.port = second.port
  await expect(textOf(first.get('/'))).rejects.toThrow('ECONNRESET')
  expect(first.opened() + second.opened()).toBeLessThan(1000)
})

/** The size of a long body, in bytes. */
const SIZE = 8 * 1024 * 1024

/** What a test asks of a wire. */
type Wire = {
  port: number
  connect(): Socket
  get(path: string, options?: RequestOptions): ReturnType<typeof request>
  cut(): void
  /** Returns everything in one direction as the page shows it, at the client. */
  said(direction: 'request' | 'response'): string
  interpretations(direction: 'request' | 'response'): Interpretation[]
  /** Returns the data of all events so far. */
  dispatched(): string[]
  exchanges(): Exchange[]
  /** Resolves with the text of the first closing. */
  closed(): Promise<string>
  /** Returns the number of connections that have been opened. */
  opened(): number
}

async function wireTo(
  address: ServerAddress,
  { renames, proxy }: { renames?: URL; proxy?: ProxySetting } = {},
): Promise<Wire> {
  const record = recorder()
  const opened = await tap({
    port: 0,
    destination: async () => address,
    observer: record.observer,
    mayLoop: true,
    ...(renames && { renames }),
  })
  cleanUps.push(() => opened.close())
  opened.proxy(proxy)
  const all = (): Entry[] => record.after(0, Infinity)
  const interpretations = (direction: string): Interpretation[] =>
    atClient(all(), direction).map(({ n }) => {
      const { arrival, before, isWhole } = record.arrival(n)!
      return interpret(arrival, before, isWhole, decompress)
    })
  return {
    port: opened.port,
    connect: () => connect({ port: opened.port, host: '127.0.0.1' }).on('error', () => {}),
    get: (path, options) => {
      const asked = request({
        port: opened.port,
        host: '127.0.0.1',
        path,
        agent: false,
        ...options,
      })
      // The response reports the error as well.
      asked.on('error', () => {})
      return options?.method ? asked : asked.end()
    },
    cut: () => opened.faults.cut(),
    said: (direction) => shown(record, atClient(all(), direction)),
    interpretations,
    dispatched: () =>
      interpretations('response').flatMap(
        ({ events }) => events?.dispatched.map(({ data }) => data) ?? [],
      ),
    exchanges: () => record.exchanges.changedSince(0),
    async closed() {
      const find = (): Entry | undefined => all().find(({ kind }) => kind === 'closed')
      await vi.waitUntil(find)
      return (find() as { text: string }).text
    },
    opened: () => all().filter(({ kind }) => kind === 'opened').length,
  }
}

function atClient(entries: Entry[], direction: string): Entry[] {
  return entries.filter(
    (entry) => entry.kind === 'arrived' && entry.hop === 'client' && entry.direction === direction,
  )
}

/** Returns arrivals as text, with each frame's label and everything that is not HTTP in brackets. */
function shown(record: Recorder, entries: Entry[]): string {
  return entries
    .flatMap(({ n }) => {
      const { arrival, before, isWhole } = record.arrival(n)!
      return interpret(arrival, before, isWhole).segments.map(({ kind, from, to, label, text }) => {
        if (label !== undefined) return `[${label}]`
        const said = text ?? visible(arrival.bytes.subarray(from, to))
        return kind === 'extra' ? `[not HTTP: ${said}]` : said
      })
    })
    .join('')
}

async function listening(server: Server | ReturnType<typeof createHttps>): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function textOf(asked: ReturnType<typeof request>): Promise<string> {
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return bodyOf(response)
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of response) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString()
}

function pending<T>(): { promise: Promise<T>; resolve(value: T): void } {
  let resolve = (_value: T): void => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
