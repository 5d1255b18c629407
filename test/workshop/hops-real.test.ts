import { once } from 'node:events'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import compression from 'compression'
import express from 'express'
import { afterEach, beforeAll, expect, test } from 'vitest'
import type { MeasuredVerdict } from '../../protocol/experiment.ts'
import { startProxy, type ProxySetting } from '../../wire/proxy.ts'
import { compareAddresses } from '../../workshop/hops/compare-addresses.ts'
import { comparisonText, verdictIn } from '../../workshop/hops/comparison-text.ts'
import type { Comparison } from '../../workshop/hops/comparison.ts'
import { reportOn } from '../../workshop/hops/report-address.ts'
import { reportText } from '../../workshop/hops/report-text.ts'
import type { Report } from '../../workshop/hops/report.ts'
import { startApache } from '../../workshop/proxies/apache.ts'
import { startCaddy } from '../../workshop/proxies/caddy.ts'
import { startHaproxy } from '../../workshop/proxies/haproxy.ts'
import { site, startNginx } from '../../workshop/proxies/nginx.ts'
import type { RunningProxy } from '../../workshop/proxies/proxy-process.ts'
import { startVarnish } from '../../workshop/proxies/varnish.ts'
import type { ExternalTool } from '../../workshop/tools/external-tool.ts'
import { apache, caddy, haproxy, nginx, varnish } from '../../workshop/tools/proxies.ts'
import { CERTIFICATE, KEY } from './certificate.ts'

const started: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of started.splice(0).reverse()) await stop()
})

/** A server whose clients all get the same events, one every 60 milliseconds. */
let events: RequestListener
beforeAll(() => {
  const clients = new Set<ServerResponse>()
  const log: string[] = []
  // It has to be a timer, because the commands measure the time.
  const timer = setInterval(() => {
    const text = `id: ${log.length}\ndata: {"n":${log.length}}\n\n`
    log.push(text)
    for (const client of clients) client.write(text)
  }, 60)
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    if (request.method === 'HEAD') {
      response.end()
      return
    }
    response.flushHeaders()
    const cursor = request.headers['last-event-id']
    if (cursor !== undefined) for (const text of log.slice(Number(cursor) + 1)) response.write(text)
    clients.add(response)
    response.on('close', () => clients.delete(response))
  }
  events = serve
  return () => clearInterval(timer)
})

type Setup = {
  tool: ExternalTool
  setting: string
  start(port: number): Promise<RunningProxy>
  /** The built-in proxy that behaves in the same way, for machines without the tool. */
  instead?: ProxySetting
  /** The words of lesson 4's table for a plain client, and for one that accepts gzip. */
  plain: MeasuredVerdict
  asBrowser: string
  line?: string
}

const SETUPS: Setup[] = [
  {
    ...ofNginx(''),
    instead: { http: '1.0', holds: 4096 },
    plain: 'holds',
    asBrowser: 'holds',
    line: 'proxy_buffering off;',
  },
  { ...ofNginx('proxy_buffering off;'), instead: {}, plain: 'passes', asBrowser: 'passes' },
  {
    ...ofNginx('proxy_http_version 1.1;'),
    instead: { holds: 'head' },
    plain: 'head waits',
    asBrowser: 'head waits',
    line: 'proxy_buffering off;',
  },
  {
    ...ofNginx('proxy_http_version 1.1; gzip on;'),
    instead: { holds: 'head', gzip: true },
    plain: 'head waits',
    asBrowser: 'holds, compressed',
    line: 'gzip off;',
  },
  {
    tool: haproxy,
    setting: '',
    start: (port) => startHaproxy(port, ''),
    plain: 'late',
    asBrowser: 'late',
    line: 'option http-no-delay',
  },
  {
    tool: haproxy,
    setting: 'option http-no-delay',
    start: (port) => startHaproxy(port, 'option http-no-delay'),
    plain: 'passes',
    asBrowser: 'passes',
  },
  {
    tool: apache,
    setting: '',
    start: (port) => startApache(port, ''),
    plain: 'passes',
    asBrowser: 'passes',
  },
  {
    tool: caddy,
    setting: '',
    start: (port) => startCaddy(port, ''),
    plain: 'passes',
    asBrowser: 'passes',
  },
  {
    tool: varnish,
    setting: '',
    start: (port) => startVarnish(port, ''),
    plain: 'passes',
    asBrowser: 'passes',
  },
  {
    tool: varnish,
    setting: 'set beresp.do_stream = false;',
    start: (port) =>
      startVarnish(port, 'sub vcl_backend_response { set beresp.do_stream = false; }'),
    plain: 'holds',
    asBrowser: 'holds',
    line: 'set beresp.do_stream = true;',
  },
]

function ofNginx(setting: string): Pick<Setup, 'tool' | 'setting' | 'start'> {
  return {
    tool: nginx,
    setting,
    start: (port) =>
      startNginx((listen) =>
        site(listen, `http://127.0.0.1:${port}`, `${setting} gzip_types text/event-stream;`),
      ),
  }
}

test.for(SETUPS)(
  '$tool.name $setting: $plain, as a browser $asBrowser',
  async ({ tool, start, instead, plain, asBrowser, line }, { skip, annotate }) => {
    const isMissing = tool.find() === undefined
    // Only machines that have the real proxy can show what it does.
    skip(
      isMissing && !instead,
      `there is no ${tool.name}, and the built-in proxy has no such setting`,
    )
    if (isMissing) await annotate(`there is no ${tool.name}, so the built-in proxy took its place`)
    const port = await listening(createServer(events))
    const proxy = await (isMissing ? startProxy(port, instead) : start(port))
    started.push(proxy.stop)
    // A busy machine may delay a few events, so a verdict has three tries.
    const found = await untilAsExpected(
      () => compared(port, proxy.port),
      (comparison) => [verdictIn('public', comparison), verdictIn('publicAsBrowser', comparison)],
      [plain, asBrowser],
    )
    expect(found.matchedBy ?? 'id').toBe('id')
    const lines = found.cause!.lines.map((one) => one.line)
    if (line === undefined) expect(lines).toEqual([])
    else expect(lines).toContain(line)
    if (!isMissing && tool === nginx) expect(found.hops[0]?.name).toBe('nginx')
  },
)

test('an nginx that fills a buffer now and then holds the events', async ({ skip }) => {
  // Only the real nginx splits an event between two buffers.
  skip(nginx.find() === undefined, 'there is no nginx')
  const port = await listening(
    createServer((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      let n = 0
      const timer = setInterval(() => {
        response.write(`id: ${(n += 1)}\ndata: ${`${n} `.padEnd(900, 'x')}\n\n`)
      }, 100)
      response.on('close', () => clearInterval(timer))
    }),
  )
  const proxy = await ofNginx('').start(port)
  started.push(proxy.stop)
  const found = await untilAsExpected(
    () => compared(port, proxy.port),
    ({ verdict }) => [verdict ?? ''],
    ['holds'],
  )
  expect(found.cause!.lines[0]).toEqual({ program: 'nginx', line: 'proxy_buffering off;' })
})

test("the app's own compression is not blamed on the hop", async () => {
  const app = express().use(compression()).get('/events', events)
  const port = await listening(createServer(app))
  const proxy = await startProxy(port)
  started.push(proxy.stop)
  const comparison = await compared(port, proxy.port)
  expect(comparison.cause).toMatchObject({ where: 'app', isCompressed: true })
  expect(verdictIn('public', comparison)).toBe('passes')
})

test.each<[string, RequestListener, string]>([
  ['404', (_request, response) => void response.writeHead(404).end(), 'it answered 404 Not Found'],
  [
    'a page',
    (_request, response) => void response.setHeader('Content-Type', 'text/html').end('<p>Log in'),
    'it answered with an HTML page',
  ],
  ['a reset', (request) => void request.socket.resetAndDestroy(), 'the connection was reset'],
])('%s is said, and not judged', async (_case, handler, says) => {
  const port = await listening(createServer(events))
  const comparison = await compared(port, await listening(createServer(handler)))
  expect(comparison.verdict).toBeUndefined()
  expect(printedText(comparison)).toContain(says)
})

test('a refused connection is said', async () => {
  const port = await listening(createServer(events))
  const comparison = await compared(port, 1)
  expect(printedText(comparison)).toContain(
    'The public address is no stream: nothing listens at 127.0.0.1:1.',
  )
})

test('a redirect is followed and shown', async () => {
  const port = await listening(createServer(events))
  const away = await listening(
    createServer((_request, response) =>
      response.writeHead(307, { Location: `http://127.0.0.1:${port}/events` }).end(),
    ),
  )
  const comparison = await compared(port, away)
  expect(comparison.verdict).toBe('passes')
  expect(printedText(comparison)).toContain(`redirected (307) to http://127.0.0.1:${port}/events`)
})

test('an untrusted certificate is said, and the word insecure accepts it', async () => {
  const port = await listening(createServer(events))
  const secure = createTlsServer({ key: KEY, cert: CERTIFICATE }, events)
  const away = await listening(secure as unknown as Server)
  const url = new URL(`https://127.0.0.1:${away}/events`)
  const refused = await compareAddresses({ ...OPTIONS, direct: urlOf(port), public: url })
  expect(printedText(refused)).toContain('the word insecure accepts it')
  const accepted = await compareAddresses({
    ...OPTIONS,
    direct: urlOf(port),
    public: url,
    isInsecure: true,
  })
  expect(accepted.verdict).toBe('passes')
  const seen = await reportOn({ ...OPTIONS, direct: url, isInsecure: true })
  expect(seen.protocol).toBe('http/1.1')
  const notTls = await reportOn({ ...OPTIONS, direct: new URL(`https://127.0.0.1:${port}/events`) })
  expect(notTls.problem).toContain('does not speak TLS')
})

test('an interrupted watch shows the result so far', async () => {
  const port = await listening(createServer(events))
  const interrupted = AbortSignal.timeout(700)
  const options = { ...OPTIONS, watch: { ms: 60_000, events: 1000 }, signal: interrupted }
  const comparison = await compareAddresses({
    ...options,
    direct: urlOf(port),
    public: urlOf(port),
  })
  expect(comparison.watchedMs).toBeLessThan(10_000)
  expect(comparison.streams.direct.events).toBeGreaterThan(0)
})

test('a report says what a stream does', async () => {
  const port = await listening(createServer(events))
  const seen = await reportOn({ ...OPTIONS, direct: urlOf(port) })
  expect(seen).toMatchObject({
    unit: 'event',
    secondClient: { outcome: 'both served', ids: 'the same' },
    lastEventId: { outcome: 'replays' },
    head: { status: 200 },
    method: { status: 200 },
  } satisfies { [Key in keyof Report]?: object | string })
  expect(seen.ids).toMatchObject({ isAscending: true, different: seen.events.count })
  expect(seen.compression.coding).toBeUndefined()
  const printed = reportText(seen, { width: 80 })
  expect(printed.split('\n').every((line) => line.length <= 80)).toBe(true)
  expect(printed).toMatch(/Last-Event-ID +asked with "\d+", where "\d+" came next: replays/)
})

test.each(['gzip', 'deflate', 'br'])(
  'a report decompresses %s as it is flushed',
  async (coding) => {
    const { createBrotliCompress, createDeflate, createGzip, constants } = await import('node:zlib')
    const make = { gzip: createGzip, deflate: createDeflate, br: createBrotliCompress }
    const port = await listening(
      createServer((_request, response) => {
        response.writeHead(200, {
          'Content-Type': 'application/x-ndjson',
          'Content-Encoding': coding,
        })
        const compressor = make[coding as keyof typeof make]()
        compressor.pipe(response)
        let n = 0
        const timer = setInterval(() => {
          compressor.write(`{"n":${(n += 1)}}\n`)
          compressor.flush(
            coding === 'br' ? constants.BROTLI_OPERATION_FLUSH : constants.Z_SYNC_FLUSH,
          )
        }, 50)
        response.on('close', () => clearInterval(timer))
      }),
    )
    const seen = await reportOn({ ...OPTIONS, direct: urlOf(port) })
    expect(seen.unit).toBe('line')
    expect(seen.events.count).toBeGreaterThan(5)
    expect(seen.compression).toMatchObject({ coding })
    expect(seen.events.intervalMs).toBeLessThan(500)
  },
)

const OPTIONS = {
  watch: { ms: 10_000, events: 16 },
  isInsecure: false,
  headers: {},
}

async function compared(direct: number, away: number): Promise<Comparison> {
  return compareAddresses({ ...OPTIONS, direct: urlOf(direct), public: urlOf(away) })
}

async function untilAsExpected<Result>(
  measure: () => Promise<Result>,
  wordsOf: (result: Result) => string[],
  expected: string[],
): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    const result = await measure()
    const words = wordsOf(result)
    if (tries === 3) expect(words).toEqual(expected)
    if (words.join() === expected.join()) return result
  }
}

function printedText(comparison: Comparison): string {
  const printed = comparisonText(comparison, { width: 80, most: 20 })
  expect(printed.split('\n').filter((line) => [...line].length > 80)).toEqual([])
  return printed.replace(/\n(?! *\n)/g, ' ').replace(/ +/g, ' ')
}

function urlOf(port: number): URL {
  return new URL(`http://127.0.0.1:${port}/events`)
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  started.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
