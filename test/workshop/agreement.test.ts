import { createServer, get, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { startProxy, type ProxySetting } from '../../wire/proxy.ts'
import { nginx } from '../../workshop/tools/proxies.ts'
import { site, startNginx } from '../../workshop/proxies/nginx.ts'
import type { RunningProxy } from '../../workshop/proxies/proxy-process.ts'

// The checks of lesson 4 rely on the built-in proxy. These tests run the same script with that proxy and with the real
// nginx that it simulates.

const stops: (() => unknown)[] = []
let server: Source
beforeEach(async () => {
  server = await source()
})
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

const BUFFERS_10 = 'proxy_http_version 1.0;'
const BUFFERS_11 = 'proxy_http_version 1.1;'
const GZIP = 'proxy_http_version 1.1; gzip on; gzip_types text/event-stream;'
const IGNORES = 'proxy_ignore_headers X-Accel-Buffering;'

const pairs: { directives: string; setting: ProxySetting; takesGzip?: boolean }[] = [
  { directives: BUFFERS_10, setting: { http: '1.0', holds: 4096 } },
  {
    directives: `${BUFFERS_10} ${IGNORES}`,
    setting: { http: '1.0', holds: 4096, ignoresAccelBuffering: true },
  },
  { directives: `${BUFFERS_10} proxy_buffering off;`, setting: { http: '1.0' } },
  { directives: BUFFERS_11, setting: { holds: 'head' } },
  {
    directives: `${BUFFERS_11} ${IGNORES}`,
    setting: { holds: 'head', ignoresAccelBuffering: true },
  },
  { directives: GZIP, setting: { holds: 'head', gzip: true } },
  { directives: GZIP, setting: { holds: 'head', gzip: true }, takesGzip: true },
  {
    directives: `${GZIP} ${IGNORES}`,
    setting: { holds: 'head', gzip: true, ignoresAccelBuffering: true },
    takesGzip: true,
  },
]

// Use upper case, which is unusual but which nginx accepts, because the checks use lower case.
const says: Record<string, string>[] = [{}, { 'X-Accel-Buffering': 'NO' }]

describe.skipIf(!nginx.find())('the built-in proxy and nginx', () => {
  test.for(pairs.flatMap((pair) => says.map((headers) => ({ ...pair, headers }))))(
    'have the same verdict: $directives gzip: $takesGzip, $headers',
    async ({ directives, setting, takesGzip = false, headers }) => {
      server.headers = headers
      const real = await verdict(await realNginx(directives), takesGzip)
      const model = await verdict(await builtIn(setting), takesGzip, real)
      expect(model).toEqual(real)
    },
  )

  test.for([
    { directives: BUFFERS_10, setting: { http: '1.0', holds: 4096 }, before: 3800 },
    {
      directives: `${BUFFERS_10} proxy_buffer_size 8k;`,
      setting: { http: '1.0', holds: 8192 },
      before: 7900,
    },
    { directives: BUFFERS_11, setting: { holds: 'head' }, before: 0 },
  ] as const)(
    'pass on the first byte at the same moment: $directives',
    async ({ directives, setting, before }) => {
      const real = await firstByte(await realNginx(directives), before)
      const model = await firstByte(await builtIn(setting), before)
      expect(model).toBe(real)
    },
  )

  test.for(['end', 'crash'] as const)(
    'look the same to the client when the server ends: %s',
    async (how) => {
      for (const http of ['1.0', '1.1'] as const) {
        const real = await ending(await realNginx(`proxy_http_version ${http};`), how)
        const model = await ending(await builtIn({ http }), how)
        expect({ http, ending: model }).toEqual({ http, ending: real })
      }
    },
  )
})

type Source = {
  port: number
  /** The headers of the next stream. */
  headers: Record<string, string>
  /** Resolves with the last requested stream. */
  stream(): Promise<ServerResponse>
}

/** Starts a server whose streams the test controls. It answers all other requests at once. */
async function source(): Promise<Source> {
  let asked: ServerResponse | undefined
  const made: Source = {
    port: 0,
    headers: {},
    async stream() {
      while (!asked) await turn()
      const stream = asked
      asked = undefined
      return stream
    },
  }
  const http = createServer((request, response) => {
    if (request.url !== '/events') return void response.end('other')
    response.writeHead(200, { 'Content-Type': 'text/event-stream', ...made.headers })
    response.flushHeaders()
    asked = response
  })
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening))
  stops.push(() => {
    http.closeAllConnections()
    http.close()
  })
  made.port = (http.address() as AddressInfo).port
  return made
}

async function realNginx(directives: string): Promise<RunningProxy> {
  const proxy = await startNginx((listen) =>
    site(listen, `http://127.0.0.1:${server.port}`, directives),
  )
  stops.push(() => proxy.stop())
  return proxy
}

async function builtIn(setting: ProxySetting): Promise<RunningProxy> {
  const proxy = await startProxy(server.port, setting)
  stops.push(() => proxy.stop())
  return proxy
}

type Verdict = { head: boolean; came: boolean[] }

/**
 * Determines which parts of a stream reach the client before the server sends more.
 *
 * @param expected the parts to wait for, because Node's compressor works in a thread and takes some time
 */
async function verdict(
  proxy: RunningProxy,
  takesGzip: boolean,
  expected?: Verdict,
): Promise<Verdict> {
  const client = visit(proxy.port, takesGzip)
  const stream = await server.stream()
  await settled(proxy)
  const head = client.hasHead
  const came: boolean[] = []
  for (const [n, event] of ['data: one\n\n', 'data: two\n\n'].entries()) {
    const before = client.bytes
    stream.write(event)
    await settled(proxy)
    if (expected?.came[n]) await vi.waitUntil(() => client.bytes > before, { timeout: 120_000 })
    came.push(client.bytes > before)
  }
  stream.end()
  await client.ended
  return { head, came }
}

/**
 * Returns the number of bytes of the body that the server has to write before the first byte arrives.
 *
 * @param before a number of bytes that is not enough; these bytes are written at once
 */
async function firstByte(proxy: RunningProxy, before: number): Promise<number> {
  const client = visit(proxy.port, false)
  const stream = await server.stream()
  let written = before
  stream.write('x'.repeat(before))
  await settled(proxy)
  expect(client.bytes).toBe(0)
  while (client.bytes === 0) {
    stream.write('x')
    written += 1
    await settled(proxy)
  }
  stream.end()
  await client.ended
  return written
}

/** Returns whether a client takes the response for complete or for cut. */
async function ending(proxy: RunningProxy, how: 'end' | 'crash'): Promise<string> {
  const client = visit(proxy.port, false)
  const stream = await server.stream()
  stream.write('data: one\n\n')
  await settled(proxy)
  if (how === 'end') stream.end()
  else stream.destroy()
  return client.ended
}

type Visitor = { hasHead: boolean; bytes: number; ended: Promise<'complete' | 'cut'> }

function visit(port: number, takesGzip: boolean): Visitor {
  const visitor: Visitor = {
    hasHead: false,
    bytes: 0,
    ended: new Promise((resolve) => {
      const headers = takesGzip ? { 'Accept-Encoding': 'gzip' } : {}
      const request = get({ port, host: '127.0.0.1', path: '/events', agent: false, headers })
      request.on('response', (response) => {
        visitor.hasHead = true
        response.on('data', (bytes: Buffer) => (visitor.bytes += bytes.length))
        response.on('error', () => {})
        response.on('close', () => resolve(response.complete ? 'complete' : 'cut'))
      })
      request.on('error', () => resolve('cut'))
    }),
  }
  return visitor
}

/** Waits for the answers to two other requests. By then, everything that the proxy has passed on has arrived. */
async function settled({ port }: RunningProxy): Promise<void> {
  for (let times = 0; times < 2; times += 1) {
    await new Promise<void>((resolve, reject) => {
      get({ port, host: '127.0.0.1', path: '/other', agent: false }, (response) => {
        response.resume().on('end', resolve)
      }).on('error', reject)
    })
  }
  for (let turns = 0; turns < 5; turns += 1) await turn()
}
