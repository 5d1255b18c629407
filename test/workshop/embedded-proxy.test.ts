import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  createServer as createHttpServer,
  request as requestTo,
  type IncomingMessage,
  type RequestListener,
  type RequestOptions,
  type Server as HttpServer,
  type ServerResponse,
} from 'node:http'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { startProxy, type Proxy, type ProxySetting } from '../../wire/proxy.ts'

// Whatever the proxy holds, what it passes on has to be the same HTTP as without the proxy.

const settings: Record<string, ProxySetting> = {
  'passes on each byte': {},
  'holds 4096': { holds: 4096 },
  "holds 'end'": { holds: 'end' },
  "holds 'last'": { holds: 'last' },
  "holds 'head'": { holds: 'head' },
  gzip: { holds: 'head', gzip: true },
  'HTTP/1.0': { http: '1.0' },
  'HTTP/1.0, holds 4096': { http: '1.0', holds: 4096 },
}
const all = Object.entries(settings)
const over11 = all.filter(([, { http }]) => http !== '1.0')
const over10 = all.filter(([, { http }]) => http === '1.0')
/** The settings that pass on parts of a response before its end. */
const streaming = all.filter(([, { holds, gzip }]) => !gzip && (!holds || holds === 'head'))

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop()
})

describe('headers', () => {
  test.for(all)('%s: repeated lines of a response stay lines', async ([, setting]) => {
    const proxy = await before(setting, (_request, response) => {
      response.writeHead(200, ['Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'X-Odd', 'caf\u00e9'])
      // Node would encode the head like a text.
      response.end(Buffer.from('hello'))
    })
    const { rawHeaders, body } = await ask(proxy)
    expect(valuesOf(rawHeaders, 'set-cookie')).toEqual(['a=1', 'b=2'])
    expect(valuesOf(rawHeaders, 'x-odd')).toEqual(['caf\u00e9'])
    expect(rawHeaders).toContain('X-Odd')
    expect(String(body)).toBe('hello')
  })

  test.for(all)('%s: repeated lines of a request stay lines', async ([, setting]) => {
    let got: string[] = []
    const proxy = await before(setting, (request, response) => {
      got = request.rawHeaders
      response.end()
    })
    await ask(proxy, { headers: { 'X-Tag': ['one', 'two'], 'Accept-Language': ['de', 'en'] } })
    expect(valuesOf(got, 'x-tag')).toEqual(['one', 'two'])
    expect(valuesOf(got, 'accept-language')).toEqual(['de', 'en'])
    expect(got).toContain('X-Tag')
  })

  test.for(all)('%s: headers for one hop stay on their hop', async ([, setting]) => {
    let got: IncomingMessage['headers'] = {}
    const proxy = await before(setting, (request, response) => {
      got = request.headers
      response.writeHead(200, { Connection: 'close, X-Hop', 'X-Hop': 'here', 'X-End': 'there' })
      response.end()
    })
    const { headers } = await ask(proxy, {
      headers: { Connection: 'close, X-Mine', 'X-Mine': 'here', 'X-Yours': 'there' },
    })
    expect([got['x-mine'], got['x-yours'], got.connection]).toEqual([undefined, 'there', 'close'])
    expect([headers['x-hop'], headers['x-end']]).toEqual([undefined, 'there'])
  })

  test.for(all)('%s: a POST without a body gets no chunks', async ([, setting]) => {
    let got: IncomingMessage['headers'] = {}
    const proxy = await before(setting, (request, response) => {
      got = request.headers
      response.end()
    })
    const raw = talk(proxy.port)
    raw.write('POST / HTTP/1.1\r\nHost: me\r\n\r\n')
    await raw.until('200 OK')
    expect(got['transfer-encoding']).toBeUndefined()
    expect(got['content-length'] ?? '0').toBe('0')
  })

  test.for(all)('%s: a whole URL as the target becomes a path and a Host', async ([, setting]) => {
    const proxy = await before(setting, ({ url, headers, rawHeaders }, response) =>
      response.end(`${url} ${headers.host} ${valuesOf(rawHeaders, 'host').length}`),
    )
    const asked = async (path: string): Promise<string> =>
      String((await ask(proxy, { path, headers: { Host: 'other' } })).body)
    expect(await asked('http://example.com:81/a?b=/c')).toBe('/a?b=/c example.com:81 1')
    expect(await asked('http://example.com?b')).toBe('/?b example.com 1')
    expect(await asked('/plain?u=http://x/')).toBe('/plain?u=http://x/ other 1')
  })

  test.for(all)('%s: lines may end with LF only', async ([, setting]) => {
    const proxy = await beforeRaw(setting, (socket) =>
      socket.end('HTTP/1.1 200 OK\nX-Bare: yes\nContent-Length: 5\n\nhello'),
    )
    const raw = talk(proxy.port)
    raw.write('GET / HTTP/1.1\nHost: me\n\n')
    await raw.until('hello')
    expect(raw.text).toContain('HTTP/1.1 200 OK\r\nX-Bare: yes\r\n')
  })
})

describe('responses before the response', () => {
  test.for(over11)('%s: 103 arrives before the response', async ([, setting]) => {
    const proxy = await before(setting, (_request, response) => {
      response.writeEarlyHints({ link: ['</a.css>; rel=preload', '</b.js>; rel=preload'] })
      response.writeProcessing()
      response.end('hello')
    })
    const { status, early, body } = await ask(proxy)
    expect(early).toEqual([
      [103, ['Link', '</a.css>; rel=preload, </b.js>; rel=preload']],
      [102, []],
    ])
    expect([status, String(body)]).toEqual([200, 'hello'])
  })

  test.for(streaming.filter(([, { http }]) => http !== '1.0'))(
    '%s: 103 arrives while the response is still to come',
    async ([, setting]) => {
      let respond = (): void => {}
      const proxy = await before(setting, (_request, response) => {
        response.writeEarlyHints({ link: '</a.css>; rel=preload' })
        respond = () => void response.end('hello')
      })
      const raw = talk(proxy.port)
      raw.write('GET / HTTP/1.1\r\nHost: me\r\n\r\n')
      await raw.until('rel=preload\r\n\r\n')
      respond()
      await raw.until('hello')
    },
  )

  test('a client of HTTP/1.0 gets no 103', async () => {
    const proxy = await before({}, (_request, response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' })
      response.end('hello')
    })
    const raw = talk(proxy.port)
    raw.write('GET / HTTP/1.0\r\n\r\n')
    await raw.until('hello')
    expect(raw.text).toMatch(/^HTTP\/1.1 200 OK/)
  })

  test.for(all)('%s: a body follows after 100 Continue', async ([, setting]) => {
    const proxy = await before(setting, (request, response) => void request.pipe(response))
    const raw = talk(proxy.port)
    raw.write('POST / HTTP/1.1\r\nHost: me\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n')
    await raw.until('HTTP/1.1 100 Continue\r\n\r\n')
    raw.write('hello')
    await raw.until('hello')
    expect(raw.text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 200'])
  })

  test.for(over11)('%s: a server may refuse before it gets a body', async ([, setting]) => {
    const server = createHttpServer()
    server.on('checkContinue', (_request, response) => response.writeHead(413).end('too large'))
    const proxy = await startedBefore(server, setting)
    const raw = talk(proxy.port)
    raw.write('POST / HTTP/1.1\r\nHost: me\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n')
    await raw.until('too large')
    expect(raw.text).toMatch(/^HTTP\/1.1 413/)
  })
})

describe('trailers', () => {
  const sendsTrailers: RequestListener = (_request, response) => {
    response.writeHead(200, { Trailer: 'Digest' })
    response.write('hello')
    response.addTrailers([
      ['Digest', 'abc'],
      ['X-Tag', 'one'],
      ['X-Tag', 'two'],
    ])
    response.end()
  }

  test.for(over11)('%s: the trailers of a response arrive', async ([, setting]) => {
    const proxy = await before(setting, sendsTrailers)
    const { headers, rawTrailers, body } = await ask(proxy)
    expect(headers.trailer).toBe('Digest')
    expect(rawTrailers).toEqual(['Digest', 'abc', 'X-Tag', 'one', 'X-Tag', 'two'])
    expect(String(body)).toBe('hello')
  })

  test.for(over11)('%s: the trailers of a request arrive', async ([, setting]) => {
    let got: string[] = []
    const proxy = await before(setting, (request, response) => {
      request.resume().on('end', () => {
        got = request.rawTrailers
        response.end()
      })
    })
    const raw = talk(proxy.port)
    raw.write('POST / HTTP/1.1\r\nHost: me\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n')
    raw.write('2\r\nhi\r\n0\r\nX-Sum: 1\r\nX-Sum: 2\r\n\r\n')
    await raw.until('200 OK')
    expect(got).toEqual(['X-Sum', '1', 'X-Sum', '2'])
  })

  test.for(all)('%s: without chunks, no trailers are announced', async ([, setting]) => {
    const proxy = await beforeRaw(setting, (socket, asked) => {
      socket.write('HTTP/1.1 200 OK\r\nTrailer: Digest\r\nTransfer-Encoding: chunked\r\n\r\n')
      socket.end(asked.startsWith('HEAD') ? '' : '5\r\nhello\r\n0\r\nDigest: abc\r\n\r\n')
    })
    const raw = talk(proxy.port)
    raw.write('GET / HTTP/1.0\r\nTrailer: X-Sum\r\n\r\n')
    await raw.until('hello')
    expect(raw.text).toMatch(/^HTTP\/1.1 200 OK/)
    expect(raw.text).not.toMatch(/trailer/i)
    expect((await ask(proxy, { method: 'HEAD' })).status).toBe(200)
  })
})

describe('bodies', () => {
  const large = randomBytes(10_000_000)

  test.for(all)('%s: 10 MB arrive unchanged in both directions', async ([, setting]) => {
    let got = ''
    const proxy = await before(setting, async (request, response) => {
      got = sha256(await readWhole(request))
      response.setHeader('Content-Length', large.length)
      response.end(large)
    })
    const withLength = await ask(proxy, { headers: { 'Content-Length': large.length } }, large)
    expect([got, sha256(withLength.body)]).toEqual([sha256(large), sha256(large)])
    got = ''
    const inChunks = await ask(proxy, { headers: { 'Transfer-Encoding': 'chunked' } }, large)
    expect([got, sha256(inChunks.body)]).toEqual([sha256(large), sha256(large)])
  })

  test.for(all)('%s: fetch() uploads and downloads', async ([, setting]) => {
    const proxy = await before(setting, (request, response) => void request.pipe(response))
    const text = 'ä'.repeat(50_000)
    const response = await fetch(urlOf(proxy), { method: 'PUT', body: text })
    expect(await response.text()).toBe(text)
  })

  test.for(over11)('%s: the proxy does not hold a request', async ([, setting]) => {
    let got = ''
    const proxy = await before(setting, (request) => {
      request.on('data', (bytes) => (got += bytes))
    })
    const raw = talk(proxy.port)
    raw.write('POST / HTTP/1.1\r\nHost: me\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n')
    await vi.waitUntil(() => got === 'one', PATIENCE)
    raw.write('3\r\ntwo\r\n')
    await vi.waitUntil(() => got === 'onetwo', PATIENCE)
  })

  test.for(over10)('%s: chunks become one body with a length', async ([, setting]) => {
    const proxy = await before(setting, async (request, response) => {
      const body = await readWhole(request)
      response.end(`${request.httpVersion} ${request.headers['content-length']} ${String(body)}`)
    })
    const { body } = await ask(proxy, { headers: { 'Transfer-Encoding': 'chunked' } }, 'hello')
    expect(String(body)).toBe('1.0 5 hello')
  })

  test.for(over10)('%s: the proxy refuses to hold a huge body', async ([, setting]) => {
    const proxy = await before(setting, (_request, response) => response.end('from the server'))
    const huge = Buffer.alloc(17 * 1024 * 1024)
    const options = { headers: { 'Transfer-Encoding': 'chunked' } }
    const { status, body } = await ask(proxy, options, huge)
    expect(status).toBe(413)
    expect(String(body)).toContain('This body is larger than 16 MiB')
  })

  test.for(all)('%s: a response may end with its connection', async ([, setting]) => {
    const proxy = await beforeRaw(setting, (socket) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello'),
    )
    const { body, complete } = await ask(proxy)
    expect([String(body), complete]).toEqual(['hello', true])
  })

  test.for(all)('%s: HEAD, 204 and 304 have no body', async ([, setting]) => {
    const proxy = await before(setting, (request, response) => {
      const status = Number(request.url!.slice(1))
      if (status !== 204) response.setHeader('Content-Length', 1000)
      response.writeHead(status, { ETag: '"a"' }).end()
    })
    const raw = talk(proxy.port)
    const asked = async (line: string): Promise<string> => {
      const start = raw.text.length
      raw.write(`${line} HTTP/1.1\r\nHost: me\r\nAccept-Encoding: gzip\r\n\r\n`)
      await vi.waitUntil(() => raw.text.slice(start).includes('\r\n\r\n'), PATIENCE)
      return raw.text.slice(start)
    }
    // All requests are on one connection, so any byte of a body would be in front of the next response.
    const [head, empty, unchanged, last] = [
      await asked('HEAD /200'),
      await asked('GET /204'),
      await asked('GET /304'),
      await asked('HEAD /200'),
    ]
    expect(head).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*Content-Length: 1000\r\n[^]*\r\n\r\n$/)
    expect(empty).toMatch(/^HTTP\/1.1 204 No Content\r\n[^]*\r\n\r\n$/)
    expect(unchanged).toMatch(/^HTTP\/1.1 304 Not Modified\r\n[^]*\r\n\r\n$/)
    expect(last).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\n$/)
    for (const text of [head, empty, unchanged]) expect(text).not.toMatch(/content-encoding/i)
  })

  test('gzip: only a whole page is compressed, and only for clients that accept it', async () => {
    const proxy = await before({ gzip: true }, (request, response) => {
      response.writeHead(Number(request.url!.slice(1)), { 'Content-Length': 5 }).end('hello')
    })
    const coding = async (path: string, accepts: string): Promise<string | undefined> =>
      (await ask(proxy, { path, headers: { 'Accept-Encoding': accepts } })).headers[
        'content-encoding'
      ]
    const { headers, body } = await ask(proxy, {
      path: '/200',
      headers: { 'Accept-Encoding': 'br, gzip;q=0.5' },
    })
    expect([headers['content-encoding'], headers['content-length']]).toEqual(['gzip', undefined])
    expect(String(gunzipSync(body))).toBe('hello')
    expect(await coding('/206', 'gzip')).toBeUndefined()
    expect(await coding('/200', 'gzip;q=0')).toBeUndefined()
    expect(await coding('/200', 'br')).toBeUndefined()
  })
})

describe('connections', () => {
  test.for(all)('%s: pipelined requests are answered in turn', async ([, setting]) => {
    const proxy = await before(setting, (request, response) => {
      setImmediate(() => response.end(`(${request.method} ${request.url})`))
    })
    const raw = talk(proxy.port)
    const head = 'HTTP/1.1\r\nHost: me\r\n'
    raw.write(
      `GET /1 ${head}\r\nPOST /2 ${head}Content-Length: 2\r\n\r\nhiHEAD /3 ${head}\r\nGET /4 ${head}\r\n`,
    )
    await raw.until('(GET /4)')
    expect(raw.text.match(/HTTP\/1.1 200|\(.*?\)/g)).toEqual([
      'HTTP/1.1 200',
      '(GET /1)',
      'HTTP/1.1 200',
      '(POST /2)',
      'HTTP/1.1 200',
      'HTTP/1.1 200',
      '(GET /4)',
    ])
  })

  test('a pipelined request waits until the response before it has ended', async () => {
    const crossed: string[] = []
    const onCrossed: ProxySetting['onCrossed'] = (direction, bytes) =>
      crossed.push(`${direction} ${/^\w+ \S+|\[.*\]/.exec(String(bytes))?.[0]}`)
    const proxy = await before({ onCrossed }, ({ url }, response) => {
      response.writeHead(200, { 'Content-Length': url!.length + 2 }).end(`[${url}]`)
    })
    const raw = talk(proxy.port)
    raw.write('GET /1 HTTP/1.1\r\nHost: me\r\n\r\nGET /2 HTTP/1.1\r\nHost: me\r\n\r\n')
    await raw.until('[/2]')
    expect(crossed.filter((line) => !line.endsWith('undefined'))).toEqual([
      'request GET /1',
      'response [/1]',
      'request GET /2',
      'response [/2]',
    ])
  })

  test.for(all)('%s: onCrossed() sees the bytes between proxy and server', async ([, setting]) => {
    let [sent, received] = ['', '']
    const asked = { sent: '', received: '' }
    const onCrossed: ProxySetting['onCrossed'] = (direction, bytes) => {
      if (direction === 'request') sent += String(bytes)
      else received += String(bytes)
    }
    const proxy = await beforeRaw({ ...setting, onCrossed }, (socket) => {
      asked.received = 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello'
      socket.on('data', (bytes) => {
        asked.sent += String(bytes)
        if (asked.sent.endsWith('wörld')) socket.end(asked.received)
      })
    })
    await ask(proxy, { headers: { 'Content-Length': 6 } }, 'wörld')
    expect({ sent, received }).toEqual(asked)
    expect(sent).toMatch(new RegExp(`^POST / HTTP/${setting.http ?? '1.1'}\r\n`))
  })

  test('the server may be told late that the client has disconnected', async () => {
    let crossed = 0
    let stream: ServerResponse | undefined
    const closed = vi.fn()
    const onLeft = vi.fn()
    const onCrossed: ProxySetting['onCrossed'] = (direction) => {
      if (direction === 'response') crossed += 1
    }
    const proxy = await before({ tellsServerAfter: 2, onLeft, onCrossed }, (_request, response) => {
      stream = response.on('close', closed)
      response.write('data: one\n\n')
    })
    const raw = talk(proxy.port)
    raw.write('GET / HTTP/1.1\r\nHost: me\r\n\r\n')
    await raw.until('data: one')
    raw.socket.destroy()
    await vi.waitUntil(() => onLeft.mock.calls.length === 1, PATIENCE)
    const pieces = crossed
    stream!.write('data: two\n\n')
    await vi.waitUntil(() => crossed === pieces + 1, PATIENCE)
    expect(closed).not.toHaveBeenCalled()
    stream!.write('data: three\n\n')
    await vi.waitUntil(() => closed.mock.calls.length === 1, PATIENCE)
    expect(crossed).toBe(pieces + 2)
  })

  test.for(all)('%s: the server notices when the client disconnects', async ([, setting]) => {
    const asked = vi.fn()
    const closed = vi.fn()
    const proxy = await before(setting, (_request, response) => {
      asked()
      response.on('close', closed)
      response.write('data: one\n\n')
    })
    const raw = talk(proxy.port)
    raw.write('GET / HTTP/1.1\r\nHost: me\r\n\r\nGET /next HTTP/1.1\r\nHost: me\r\n\r\n')
    await vi.waitUntil(() => asked.mock.calls.length === 1, PATIENCE)
    raw.socket.destroy()
    await vi.waitUntil(() => closed.mock.calls.length === 1, PATIENCE)
  })
})

describe('upgrades', () => {
  const echo = (): Promise<HttpServer> => {
    const server = createHttpServer((_request, response) => response.end('a page'))
    const sockets = new WebSocketServer({ server })
    sockets.on('connection', (socket) => {
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
    })
    stops.push(() => {
      for (const socket of sockets.clients) socket.terminate()
    })
    return listening(server)
  }

  test.for(all)('%s: a WebSocket passes through untouched', async ([, setting]) => {
    const proxy = await startedBefore(await echo(), setting)
    const socket = new WebSocket(urlOf(proxy, 'ws'))
    stops.push(() => socket.terminate())
    await once(socket, 'open')
    const bytes = randomBytes(1_000_000)
    for (const message of ['hello', bytes]) {
      socket.send(message)
      const [answer] = (await once(socket, 'message')) as [Buffer]
      expect(sha256(answer)).toBe(sha256(message))
    }
    socket.close(4000, 'bye')
    expect(String(await once(socket, 'close'))).toBe('4000,bye')
    expect(String((await ask(proxy)).body)).toBe('a page')
  })

  test.for(all)('%s: a server may refuse a WebSocket', async ([, setting]) => {
    const server = createHttpServer()
    server.on('upgrade', (_request, socket) =>
      socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno'),
    )
    const proxy = await startedBefore(server, setting)
    const socket = new WebSocket(urlOf(proxy, 'ws'))
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
    expect([response.statusCode, String(await readWhole(response))]).toEqual([401, 'no'])
  })

  test('bytes that follow an upgrade at once arrive after it', async () => {
    let got = ''
    const proxy = await beforeRaw({}, (socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n')
      socket.on('data', (bytes) => (got += bytes))
    })
    const head = 'GET /w HTTP/1.1\r\nhost: Me\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\r\n'
    const raw = talk(proxy.port)
    raw.write(`${head}first`)
    await raw.until('101 Switching Protocols')
    raw.write('second')
    await vi.waitUntil(() => got.endsWith('firstsecond'), PATIENCE)
    expect(`${head}firstsecond`.endsWith(got)).toBe(true)
  })

  test('a reset of the server resets a WebSocket, and stop() ends it', async () => {
    let served: Socket | undefined
    const proxy = await beforeRaw({}, (socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n')
      served = socket
    })
    const upgrade =
      'GET / HTTP/1.1\r\nHost: me\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'
    const [first, second] = [talk(proxy.port), talk(proxy.port)]
    first.write(upgrade)
    await first.until('101')
    served!.resetAndDestroy()
    expect(await first.ended).toBe('ECONNRESET')
    second.write(upgrade)
    await second.until('101')
    await proxy.stop()
    await second.ended
  })

  test.for(all)('%s: an upgrade to HTTP/2 is an ordinary request', async ([, setting]) => {
    const proxy = await before(setting, async (request, response) => {
      const { upgrade, connection } = request.headers
      response.end(`${upgrade} ${connection} ${String(await readWhole(request))}.`)
    })
    const raw = talk(proxy.port)
    raw.write('POST / HTTP/1.1\r\nHost: me\r\nConnection: Upgrade, HTTP2-Settings\r\n')
    raw.write('Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: 5\r\n\r\nhe')
    raw.write('llo')
    await raw.until('undefined close hello.')
    raw.write('GET / HTTP/1.1\r\nHost: me\r\n\r\n')
    await raw.until('undefined close .')
  })
})

describe('a server that fails', () => {
  test.for(all)('%s: 502 says that the server refuses', async ([, setting]) => {
    const server = await listening(createServer())
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    const proxy = await started(port, setting)
    await expectBadGateway(
      proxy,
      `The proxy could not reach the server at 127.0.0.1:${port}: connection refused.`,
    )
    const socket = new WebSocket(urlOf(proxy, 'ws'))
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
    expect(response.statusCode).toBe(502)
    expect(String(await readWhole(response))).toContain('connection refused')
  })

  test.for(all)('%s: 502 says that the server reset or closed', async ([, setting]) => {
    const resets = await beforeRaw(setting, (socket) => socket.resetAndDestroy())
    await expectBadGateway(
      resets,
      /^The server at 127.0.0.1:\d+ reset the connection before the head of its response was complete.$/,
    )
    const closes = await beforeRaw(setting, (socket) => socket.end('HTTP/1.1 200 OK\r\nX-Half'))
    await expectBadGateway(
      closes,
      /^The server at 127.0.0.1:\d+ closed the connection before the head of its response was complete.$/,
    )
  })

  test.for(all)('%s: 502 says that the response is not HTTP', async ([, setting]) => {
    const nonsense = await beforeRaw(setting, (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))
    await expectBadGateway(
      nonsense,
      /^The proxy could not read the response from the server at 127.0.0.1:\d+ as HTTP: Expected HTTP\//,
    )
    const huge = await beforeRaw(setting, (socket) =>
      socket.end(`HTTP/1.1 200 OK\r\nX-Huge: ${'x'.repeat(20_000)}\r\n\r\n`),
    )
    await expectBadGateway(huge, /is too long for the proxy/)
    const odd = await beforeRaw(setting, (socket) =>
      socket.end('HTTP/1.1 200 OK\r\nX-Odd: \u0001\r\nContent-Length: 0\r\n\r\n'),
    )
    await expectBadGateway(odd, /as HTTP: Invalid character in header content/)
  })

  test.for(all)('%s: a reset in a body resets the client', async ([, setting]) => {
    const length = setting.http === '1.0' ? '' : 'Content-Length: 99999\r\n'
    const body = 'x'.repeat(5000)
    let crossed = 0
    const onCrossed: ProxySetting['onCrossed'] = (direction, { length: size }) => {
      if (direction === 'response') crossed += size
    }
    const onLeft = vi.fn()
    let served: Socket
    const proxy = await beforeRaw({ ...setting, onCrossed, onLeft }, (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\n${length}\r\n${body}`)
      served = socket
    })
    const raw = talk(proxy.port)
    raw.write('GET / HTTP/1.1\r\nHost: me\r\n\r\n')
    await vi.waitUntil(() => crossed > body.length, PATIENCE)
    served!.resetAndDestroy()
    expect(await raw.ended).toBe('ECONNRESET')
    expect(onLeft).not.toHaveBeenCalled()
  })

  test.for(all)('%s: a chunk that is not one cuts the response', async ([, setting]) => {
    const proxy = await beforeRaw(setting, (socket) =>
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n'),
    )
    const raw = talk(proxy.port)
    raw.write('GET / HTTP/1.1\r\nHost: me\r\n\r\n')
    await raw.ended
    expect(raw.text).not.toContain('\r\n0\r\n')
  })

  test('a connection is kept after a 502', async () => {
    const proxy = await beforeRaw({}, (socket) => socket.resetAndDestroy())
    const raw = talk(proxy.port)
    raw.write('POST / HTTP/1.1\r\nHost: me\r\nContent-Length: 5\r\n\r\nhe')
    await raw.until('502 Bad Gateway')
    raw.write('lloGET / HTTP/1.1\r\nHost: me\r\n\r\n')
    await vi.waitUntil(() => raw.text.match(/502 Bad Gateway/g)?.length === 2, PATIENCE)
  })
})

const PATIENCE = { timeout: 20_000 }

/** Starts a server with this handler, and a proxy before it. */
function before(setting: ProxySetting, handler: RequestListener): Promise<Proxy> {
  return startedBefore(createHttpServer(handler), setting)
}

/** Starts a server that answers the first bytes of each connection with raw bytes, and a proxy before it. */
async function beforeRaw(
  setting: ProxySetting,
  answerTo: (socket: Socket, asked: string) => void,
): Promise<Proxy> {
  const server = createServer((socket) => {
    stops.push(() => socket.destroy())
    socket.on('error', () => {})
    socket.once('data', (bytes) => {
      socket.pause()
      answerTo(socket, String(bytes))
      // If the answer depends on more of the request, it needs the first bytes as well.
      if (socket.listenerCount('data') > 0) socket.unshift(bytes)
      socket.resume()
    })
  })
  return startedBefore(server, setting)
}

async function startedBefore(server: Server, setting: ProxySetting): Promise<Proxy> {
  const { port } = (await listening(server)).address() as AddressInfo
  return started(port, setting)
}

async function started(port: number, setting: ProxySetting): Promise<Proxy> {
  const proxy = await startProxy(port, setting)
  stops.push(() => proxy.stop())
  return proxy
}

async function listening<S extends Server>(server: S): Promise<S> {
  if (server.listening) return server
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stops.push(() => {
    if ('closeAllConnections' in server) (server as unknown as HttpServer).closeAllConnections()
    server.close()
  })
  return server
}

function urlOf({ port }: Proxy, scheme = 'http'): string {
  return `${scheme}://127.0.0.1:${port}/`
}

type Answer = Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'rawTrailers' | 'complete'> & {
  status: number
  body: Buffer
  early: [status: number, rawHeaders: string[]][]
}

/** Sends a request with Node's client; a POST if it has a body. */
async function ask(
  { port }: Proxy,
  options: RequestOptions = {},
  body?: string | Buffer,
): Promise<Answer> {
  const early: Answer['early'] = []
  const request = requestTo({
    port,
    host: '127.0.0.1',
    method: body === undefined ? 'GET' : 'POST',
    agent: false,
    ...options,
  })
  request.on('information', ({ statusCode, rawHeaders }) => early.push([statusCode, rawHeaders]))
  request.end(body)
  const [message] = (await once(request, 'response')) as [IncomingMessage]
  const whole = await readWhole(message)
  const { headers, rawHeaders, rawTrailers, complete, statusCode } = message
  return { headers, rawHeaders, rawTrailers, complete, status: statusCode!, body: whole, early }
}

async function expectBadGateway(proxy: Proxy, sentence: string | RegExp): Promise<void> {
  const { status, headers, body } = await ask(proxy)
  expect([status, headers['content-type']]).toEqual([502, 'text/plain; charset=utf-8'])
  expect(String(body).trimEnd()).toMatch(sentence)
}

type Talk = {
  socket: Socket
  /** Everything that has arrived. */
  readonly text: string
  write(text: string): void
  until(text: string): Promise<unknown>
  /** Resolves with the code of the error with which the connection ended, if there was one. */
  ended: Promise<string | undefined>
}

/** Opens a connection without an HTTP client. */
function talk(port: number): Talk {
  const socket = connect({ port, host: '127.0.0.1' })
  stops.push(() => socket.destroy())
  let text = ''
  let code: string | undefined
  socket.on('data', (bytes) => (text += bytes.toString('latin1')))
  socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code))
  return {
    socket,
    get text() {
      return text
    },
    write: (bytes) => void socket.write(bytes),
    until: (part) => vi.waitUntil(() => text.includes(part), PATIENCE),
    ended: new Promise((resolve) => socket.once('close', () => resolve(code))),
  }
}

async function readWhole(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces)
}

function valuesOf(rawHeaders: string[], name: string): string[] {
  return rawHeaders.filter((_value, n) => n % 2 === 1 && rawHeaders[n - 1]!.toLowerCase() === name)
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}
