import type { Measured, NotMeasured, Way } from '../../protocol/experiment.ts'
import { startProxy } from '../../wire/proxy.ts'
import type { ProxySetting } from '../../wire/proxy.ts'
import { browser } from '../tools/browser.ts'
import { apache, caddy, haproxy, nginx, varnish } from '../tools/proxies.ts'
import type { ExternalTool } from '../tools/external-tool.ts'
import { startApache } from '../proxies/apache.ts'
import { startCaddy } from '../proxies/caddy.ts'
import { startHaproxy } from '../proxies/haproxy.ts'
import { site, startNginx } from '../proxies/nginx.ts'
import type { RunningProxy } from '../proxies/proxy-process.ts'
import { startVarnish } from '../proxies/varnish.ts'
import { startVite } from '../proxies/vite.ts'
import type { BrowserApi } from './browser-client.ts'

/** A setup that can be measured. */
export type Row = Way & {
  source: Source
  /** The tool that must be installed, if any. */
  tool?: ExternalTool
  /** The way in which a real browser reads the stream. If absent, the client is a program that shows each byte as it arrives. */
  browserApi?: BrowserApi
  /** Starts the proxy. Absent if the client connects directly. */
  start?(serverPort: number): Promise<RunningProxy>
}

/** The result of measuring one setup. */
export type Result = { row: Row } & (Measured | NotMeasured)

/** The behaviour of the measured server, and the encodings that its client accepts. */
export type Source = {
  headers?: Record<string, string>
  compresses?: boolean
  flushes?: boolean
  takesGzip?: boolean
  /** The size of an event in bytes. */
  size?: number
}

const ACCEL: Source = { headers: { 'X-Accel-Buffering': 'no' } }
const GZIP: Source = { takesGzip: true }
const HTTP_11 = 'proxy_http_version 1.1;'
const NGINX_GZIP = 'gzip on;'

/** The types that nginx compresses in addition to HTML when compression is on. */
const TYPES = 'gzip_types text/event-stream;'

/** All setups that lesson 4 covers. */
export const rows: Row[] = [
  { hop: 'direct connection', setting: '', server: '', source: {} },
  middleware('', {}),
  middleware('flush() after each event', { flushes: true }),
  middleware('Cache-Control: no-transform', { headers: { 'Cache-Control': 'no-transform' } }),

  builtIn("{ http: '1.0', holds: 4096 }", { http: '1.0', holds: 4096 }),
  builtIn("{ http: '1.0', holds: 4096 }", { http: '1.0', holds: 4096 }, ACCEL),
  builtIn("{ holds: 'head' }", { holds: 'head' }),
  builtIn("{ holds: 'last' }", { holds: 'last' }),
  builtIn("{ holds: 'end' }", { holds: 'end' }),

  ofNginx('proxy_http_version 1.0;'),
  ofNginx('proxy_http_version 1.0;', ACCEL),
  ofNginx('proxy_http_version 1.0; proxy_buffering off;'),
  ofNginx('proxy_http_version 1.0; proxy_ignore_headers X-Accel-Buffering;', ACCEL),
  ofNginx(HTTP_11),
  ofNginx(HTTP_11, ACCEL),
  ofNginx(`${HTTP_11} ${NGINX_GZIP}`, GZIP),
  ofNginx(`${HTTP_11} ${NGINX_GZIP}`, { ...GZIP, headers: { 'Cache-Control': 'no-transform' } }),
  ofNginx(`${HTTP_11} ${NGINX_GZIP}`, { ...GZIP, ...ACCEL }),
  ofNginx(`${HTTP_11} ${NGINX_GZIP} proxy_buffering off;`, GZIP),
  ofNginx(`${HTTP_11} proxy_ignore_client_abort on;`, ACCEL),

  ofHaproxy(''),
  ofHaproxy('option http-no-delay'),
  real(apache, '', (port) => startApache(port, '')),
  real(
    apache,
    'AddOutputFilterByType DEFLATE text/event-stream',
    (port) => startApache(port, 'AddOutputFilterByType DEFLATE text/event-stream'),
    GZIP,
  ),
  real(caddy, '', (port) => startCaddy(port, '')),
  ...[64, 1024].map((size) =>
    real(caddy, 'encode gzip', (port) => startCaddy(port, 'encode gzip'), { ...GZIP, size }),
  ),
  real(varnish, '', (port) => startVarnish(port, '')),
  ofVarnish('set beresp.do_stream = false;'),
  ofVarnish('set beresp.do_gzip = true;', GZIP),
  { hop: "Vite's proxy", setting: '', server: '', source: {}, start: startVite },

  inBrowser('fetch()', 'text/event-stream'),
  inBrowser('fetch()', 'text/plain'),
  inBrowser('EventSource', 'text/event-stream'),
  inBrowser('a page', 'text/html'),
  inBrowser('a page', 'text/plain'),
  inBrowser('a page', 'text/plain', { 'X-Content-Type-Options': 'nosniff' }),
]

function middleware(server: string, source: Source): Row {
  return {
    hop: 'compression()',
    setting: '',
    server,
    source: { ...source, compresses: true, takesGzip: true },
  }
}

function builtIn(setting: string, proxy: ProxySetting, source: Source = {}): Row {
  const start = (port: number): Promise<RunningProxy> => startProxy(port, proxy)
  return { hop: 'the built-in proxy', setting, server: saidBy(source), source, start }
}

function ofNginx(setting: string, source: Source = {}): Row {
  const start = (port: number): Promise<RunningProxy> =>
    startNginx((listen) => site(listen, `http://127.0.0.1:${port}`, `${setting} ${TYPES}`))
  return real(nginx, setting, start, source)
}

function ofHaproxy(setting: string): Row {
  return real(haproxy, setting, (port) => startHaproxy(port, setting))
}

function ofVarnish(setting: string, source: Source = {}): Row {
  const vcl = `sub vcl_backend_response { ${setting} }`
  return real(varnish, setting, (port) => startVarnish(port, vcl), source)
}

function real(
  tool: ExternalTool,
  setting: string,
  start: (serverPort: number) => Promise<RunningProxy>,
  source: Source = {},
): Row {
  return { hop: tool.name, setting, server: saidBy(source), source, tool, start }
}

/** Returns a setup without a proxy, in which the browser itself is the last hop. */
function inBrowser(
  browserApi: BrowserApi,
  type: string,
  headers: Record<string, string> = {},
): Row {
  const server = [type, saidBy({ headers })].filter((part) => part !== '').join(', ')
  // At this size, a browser that sniffs the type has to wait for several events.
  const source: Source = { headers: { 'Content-Type': type, ...headers }, size: 160 }
  return { hop: 'Chromium', setting: browserApi, server, source, tool: browser, browserApi }
}

/** Describes the settings of the server. */
function saidBy({ headers = {}, size }: Source): string {
  const said = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return [...said, ...(size ? [`events of ${size} bytes`] : [])].join(', ')
}
