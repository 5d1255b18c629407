import { once } from 'node:events'
import { mkdtempSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, get, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { recorder, type Recorder } from '../../wire/recorder.ts'
import { parseRecording, serializeRecording } from '../../wire/recording.ts'
import { openChannel, SLICES } from '../../workshop/page/channel.ts'
import type { ChannelMessage } from '../../protocol/channel.ts'
import { pageServer, type PageServer } from '../../workshop/page/server.ts'
import type { Action, Answer, PageState } from '../../protocol/page.ts'
import type { Session } from '../../workshop/page/session.ts'
import { EventStreamParser, type StreamEvent } from '../harness/event-stream-parser.ts'

// These tests do not need the real bundle, which is slow to build.
const built = mkdtempSync(join(realpathSync(tmpdir()), 'page '))
mkdirSync(join(built, 'page/assets'), { recursive: true })
writeFileSync(join(built, 'page/index.html'), '<title>Tremor</title>')
writeFileSync(join(built, 'page/assets/index-4f2a.js'), '// the app')
writeFileSync(join(built, 'page/.hidden'), 'secret')
writeFileSync(join(built, 'secret.txt'), 'secret')
vi.mock('../../workshop/http/build.ts', () => ({
  lessonPage: {},
  built: async () => join(built, 'page'),
}))
afterAll(() => rmSync(built, { recursive: true }))

let played: Played
let wire: Recorder
let page: PageServer
let leave: (() => void)[] = []

beforeEach(async () => {
  wire = recorder()
  played = playedSession(wire)
  page = await pageServer({ session: played.session, ports: [0] })
})

afterEach(async () => {
  for (const gone of leave) gone()
  leave = []
  await page.close()
})

// The channel

test('a page first receives hello, then every slice, then the entries of the wire', async () => {
  note(2)
  const channel = await listenTo('/channel')
  const hello = await channel.next('hello')
  expect(hello.data).toEqual({ epoch: expect.stringMatching(/^\w+$/), now: expect.any(Number) })
  expect(hello.data.now).toBeLessThanOrEqual(wire.now())

  const slices = [await channel.next('state')]
  while (slices.length < SLICES.length) slices.push(await channel.next('state'))
  expect(Object.fromEntries(slices.map(({ data }) => [data.slice, data.value]))).toEqual({
    ...played.session.state,
    grading: null,
    experiment: null,
    load: null,
    processes: null,
    learnerClient: null,
    sharing: null,
  })
  const { data, lastEventId } = await channel.next('wire')
  expect(data).toEqual(wire.after(0, 2))
  expect(lastEventId).toBe(`${hello.data.epoch}.2`)
  expect(channel.types).toEqual(['hello', ...Array(SLICES.length).fill('state'), 'wire'])
})

test('the stream tells browsers to reconnect after a second, and not to cache it', async () => {
  const { headers } = await ask('GET', '/channel', { only: 'head' })
  expect(headers).toMatch(/^content-type: text\/event-stream$/im)
  expect(headers).toMatch(/^cache-control: no-store, no-transform$/im)
  const channel = await listenTo('/channel')
  await channel.next('hello')
  expect(channel.retry).toBe(1000)
})

test('each changed slice is sent in full, with its current value', async () => {
  const channel = await listenTo('/channel')
  await channel.started()
  for (let readers = 1; readers <= 500; readers += 1) {
    played.change('server', { ...played.session.state.server, readers })
  }
  played.change('faults', { isStalled: true, slow: 100 })
  const changes = [await channel.next('state'), await channel.next('state')]
  expect(changes.map(({ data }) => data)).toEqual([
    { slice: 'server', value: { ...played.session.state.server, readers: 500 } },
    { slice: 'faults', value: { isStalled: true, slow: 100 } },
  ])
  // All simultaneous changes arrived together, so nothing else was sent before this.
  played.change('lesson', undefined)
  expect((await channel.next('state')).data).toEqual({ slice: 'lesson', value: null })
})

test('each event has at most 2,000 entries, and all entries arrive', async () => {
  note(4500)
  const channel = await listenTo('/channel')
  const sizes: number[] = []
  for (let i = 0; i < 3; i += 1) sizes.push((await channel.next('wire')).data.length)
  expect(sizes).toEqual([2000, 2000, 500])
})

test('a page whose connection is cut anywhere receives every entry once', async () => {
  const got: number[] = []
  let id = ''
  for (let cut = 0; cut < 24; cut += 1) {
    if (got.length === wire.newest) note(10)
    // Cut the stream at positions from the middle of the first slices to about the middle of the sixth batch.
    const channel = await listenTo('/channel', { 'Last-Event-ID': id }, { bytes: 500 + cut * 197 })
    const cutOff = channel.ended.then(() => 'cut off')
    while ((await Promise.race([channel.next('wire'), cutOff])) !== 'cut off') note(10)
    got.push(...channel.entries)
    id = channel.lastEventId || id
  }
  expect(got.length).toBeGreaterThan(200)
  const channel = await listenTo('/channel', { 'Last-Event-ID': id })
  while (got.length + channel.entries.length < wire.newest) await channel.next('wire')
  got.push(...channel.entries)
  expect(got).toEqual(Array.from({ length: wire.newest }, (_, index) => index + 1))
})

test.each([
  ['of another start of the workshop', () => 'k3f9.2'],
  ['without a number', (epoch: string) => epoch],
  ['of nobody', () => ''],
  ['with words', (epoch: string) => `${epoch}.two`],
  ['that is negative', (epoch: string) => `${epoch}.-2`],
  ['in the future', (epoch: string) => `${epoch}.4`],
  ['without end', (epoch: string) => `${epoch}.${'9'.repeat(400)}`],
])('a cursor %s begins with the oldest entry', async (_case, cursor) => {
  note(3)
  const { epoch } = (await (await listenTo('/channel')).next('hello')).data
  const channel = await listenTo('/channel', { 'Last-Event-ID': cursor(epoch) })
  await channel.next('wire')
  expect(channel.entries).toEqual([1, 2, 3])
})

test('evicted entries are reported as a gap', async () => {
  await page.close()
  wire = recorder({ mostEntries: 10 })
  played = playedSession(wire)
  page = await pageServer({ session: played.session, ports: [0] })
  note(25)

  const channel = await listenTo('/channel')
  const { epoch } = (await channel.next('hello')).data
  expect(await channel.next('gap')).toMatchObject({
    data: { from: 1, to: 15 },
    lastEventId: `${epoch}.15`,
  })
  expect((await channel.next('wire')).data).toEqual(wire.after(15, 10))

  const late = await listenTo('/channel', { 'Last-Event-ID': `${epoch}.12` })
  expect((await late.next('gap')).data).toEqual({ from: 13, to: 15 })
  const recent = await listenTo('/channel', { 'Last-Event-ID': `${epoch}.15` })
  await recent.next('wire')
  expect(recent.types).not.toContain('gap')
})

test('a stalled page costs no memory, and later receives the current state', async () => {
  wire = recorder({ mostEntries: 5000 })
  played = playedSession(wire)
  const { socket, res, server } = await stalledPage()

  let n = 0
  let most = 0
  const muchHappens = async (): Promise<void> => {
    for (const end = n + 100; n < end; most = Math.max(most, res.writableLength)) {
      n += 1
      played.change('server', { ...played.session.state.server, printed: [LONG, String(n)] })
      wire.note(`${LONG} ${n}`)
    }
    await turn()
  }
  // Continue until every buffer is full, and for a while after that.
  while (!res.writableNeedDrain) await muchHappens()
  for (let times = 0; times < 1000; times += 1) await muchHappens()
  // The queue has room for one event with 2,000 entries, and for one or two changed slices.
  expect(most).toBeLessThan(4 * 1024 * 1024)

  const channel = readEvents()
  socket.on('data', (bytes) => channel.push(bytes))
  socket.resume()
  while (channel.entries.at(-1) !== n) await channel.next('wire')
  const servers = channel.all.filter(
    ({ type, data }) => type === 'state' && data.slice === 'server',
  )
  expect(servers.at(-1)!.data.value.printed).toEqual([LONG, String(n)])
  expect(servers.length).toBeLessThan(100)
  // No entry arrived twice, and missing entries were reported as gaps.
  const gaps = channel.all.filter(({ type }) => type === 'gap')
  const missing = gaps.reduce((sum, { data: { from, to } }) => sum + to - from + 1, 0)
  expect(missing).toBeGreaterThan(0)
  expect(new Set(channel.entries).size).toBe(channel.entries.length)
  expect(channel.entries.length + missing).toBe(n)

  socket.destroy()
  await once(res, 'close')
  expect(played.listeners).toBe(0)
  server.close()
})

test('every exchange is sent when a page connects and reconnects, and afterwards only those that change', async () => {
  for (const connection of [1, 2, 3]) wire.observer.opened(connection)
  for (const connection of [1, 2, 3]) crossed(connection, 'request', 'GET /events HTTP/1.1\r\n\r\n')
  const channel = await listenTo('/channel')
  const all = (await channel.next('exchanges')).data
  expect(all).toEqual([1, 2, 3].map((connection) => expect.objectContaining({ connection })))
  expect(all[0]).toMatchObject({ id: 1, method: 'GET', target: '/events', isFailure: false })
  crossed(2, 'response', 'HTTP/1.1 200 OK\r\n\r\ndata')
  wire.observer.closed(3, { at: 9, by: 'server', how: 'reset' })
  const changed = (await channel.next('exchanges')).data
  expect(changed).toMatchObject([
    { id: 2, status: 200, responseBytes: 4 },
    { id: 3, end: 'reset by the server without a response', isFailure: true },
  ])
  const again = await listenTo('/channel', { 'Last-Event-ID': channel.lastEventId })
  expect((await again.next('exchanges')).data.map(({ id }: { id: number }) => id)).toEqual([
    1, 2, 3,
  ])
})

test('a stalled page costs no memory for exchanges, and later receives the newest state of each', async () => {
  wire = recorder({ mostEntries: 1000 })
  played = playedSession(wire)
  const connections = Array.from({ length: 300 }, (_, index) => index + 1)
  for (const connection of connections) {
    wire.observer.opened(connection)
    crossed(connection, 'request', `GET /${LONG.repeat(8)} HTTP/1.1\r\n\r\n`)
    crossed(connection, 'response', 'HTTP/1.1 200 OK\r\n\r\n')
  }
  const { socket, res, server } = await stalledPage()
  let times = 0
  let most = 0
  const allChange = async (): Promise<void> => {
    times += 1
    for (const connection of connections) crossed(connection, 'response', 'x')
    // The channel sends changes every 250 ms, unless the page is stalled.
    if (!res.writableNeedDrain) await new Promise((resolve) => setTimeout(resolve, 250))
    most = Math.max(most, res.writableLength)
  }
  while (!res.writableNeedDrain) await allChange()
  for (const end = times + 20; times < end;) await allChange()
  // The queue has room for one event with 250 exchanges or with 2,000 entries.
  expect(most).toBeLessThan(3 * 1024 * 1024)

  const channel = readEvents()
  socket.on('data', (bytes) => channel.push(bytes))
  socket.resume()
  while (channel.entries.at(-1) !== wire.newest) await channel.next('wire')
  const newest = new Map<number, number>()
  while ([...newest.values()].filter((bytes) => bytes === times).length < connections.length) {
    const { data } = await channel.next('exchanges')
    for (const { id, responseBytes } of data) newest.set(id, responseBytes)
  }
  socket.destroy()
  await once(res, 'close')
  server.close()
})

test('nothing is left of a page that has disconnected', async () => {
  const channel = await listenTo('/channel')
  await channel.started()
  expect(played.listeners).toBe(1)
  channel.cut()
  while (played.listeners > 0) await turn()
})

test('closing the server ends every channel at once', async () => {
  const { ended } = await listenTo('/channel')
  await page.close()
  await ended
  await expect(fetch(page.url)).rejects.toThrow()
  page = await pageServer({ session: played.session, ports: [page.port] })
})

// The rest

test('a taken port is an error if it was requested, otherwise the next one is used', async () => {
  await expect(pageServer({ session: played.session, ports: [page.port] })).rejects.toThrow(
    `Port ${page.port} is taken by another program.`,
  )
  const first = await pageServer({ session: played.session })
  const second = await pageServer({ session: played.session })
  leave.push(() => void first.close())
  leave.push(() => void second.close())
  // Another program may have freed a lower port in the meantime.
  expect(second.port).not.toBe(first.port)
  for (const { port } of [first, second]) {
    expect(port).toBeGreaterThanOrEqual(3200)
    expect(port).toBeLessThan(3250)
  }
  expect((await fetch(`http://localhost:${second.port}`)).status).toBe(200)
})

test('browsers cache the assets of the page, but not the page itself', async () => {
  const index = await fetch(page.url)
  expect(await index.text()).toBe('<title>Tremor</title>')
  expect(index.headers.get('cache-control')).toBe('no-store')
  const asset = await fetch(`${page.url}/assets/index-4f2a.js`)
  expect(await asset.text()).toBe('// the app')
  expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
})

test('the pictures of the lessons are served', async () => {
  const picture = await fetch(`${page.url}/pictures/bell.svg`)
  expect(picture.headers.get('content-type')).toMatch(/^image\/svg\+xml/)
  expect(picture.headers.get('cache-control')).toBe('no-store')
  expect(await picture.text()).toMatch(/^<svg /)
})

test('the security headers allow only own scripts and no framing, and do not force TLS', async () => {
  const { headers } = await fetch(page.url)
  expect(headers.get('content-security-policy')).toBe(
    "default-src 'self';frame-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none';object-src 'none'",
  )
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('x-powered-by')).toBeNull()
  expect(headers.get('strict-transport-security')).toBeNull()
})

test("the page may show the lesson's component in a frame, and nothing else", async () => {
  const component = { url: 'http://127.0.0.1:3153/' }
  played.change('server', { ...played.session.state.server, component })
  const { headers } = await fetch(page.url)
  expect(headers.get('content-security-policy')).toContain(';frame-src http://127.0.0.1:3153;')
})

test('an arrival is served with its bytes and their interpretation', async () => {
  const bytes = exchange('HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n', 'x'.repeat(200_000))
  const found = (await (await fetch(`${page.url}/wire/4`)).json()) as { entry: { size: number } }
  expect(found).toEqual({
    entry: wire.after(3, 1)[0],
    bytes: bytes.subarray(0, 65_536).toString('base64'),
    interpretation: { segments: [{ kind: 'data', from: 0, to: 200_000 }], isWhole: true },
  })
  expect(found.entry.size).toBe(200_000)
})

test.each(['0', '-1', '1', '1.5', '5', 'two', '1e309', '__proto__', '%00'])(
  'there is no arrival %s',
  async (n) => {
    exchange('HTTP/1.1 204 No Content\r\n\r\n', '')
    const response = await fetch(`${page.url}/wire/${n}`)
    expect(response.status).toBe(404)
    expect(await response.text()).toBe('The bytes of this arrival are no longer kept.\n')
  },
)

test('a request is served with its body, and its events with their times', async () => {
  exchange('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n', 'data: 1\n\n')
  const assembled = await (await fetch(`${page.url}/exchange/1`)).json()
  expect(assembled).toEqual({
    request: { head: 'GET / HTTP/1.1' },
    response: {
      head: 'HTTP/1.1 200 OK\nContent-Type: text/event-stream',
      body: {
        size: 9,
        content: {
          as: 'events',
          count: 1,
          items: [{ at: expect.any(Number), kind: 'message', text: '1' }],
        },
      },
    },
  })
})

test.each(['0', '2', '1.5', 'one', '__proto__'])('there is no request %s', async (id) => {
  exchange('HTTP/1.1 204 No Content\r\n\r\n', '')
  const response = await fetch(`${page.url}/exchange/${id}`)
  expect(response.status).toBe(404)
  expect(await response.text()).toBe('The bytes of this request are no longer kept.\n')
})

test('a recording is saved in full', async () => {
  exchange('HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(200_000))
  note(3000)
  const response = await fetch(`${page.url}/wire.ndjson`)
  expect(response.headers.get('content-type')).toContain('application/x-ndjson')
  expect(response.headers.get('content-disposition')).toBe('attachment; filename=wire.ndjson')
  const text = await response.text()
  expect(text).toBe([...serializeRecording(wire, 1, 'http://127.0.0.1:3101')].join(''))
  expect(parseRecording(text).entries.map(({ entry }) => entry.n)).toEqual(
    Array.from({ length: wire.newest }, (_, index) => index + 1),
  )
})

test('a recording is saved as HAR', async () => {
  exchange('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n', 'tack')
  const response = await fetch(`${page.url}/wire.har`)
  expect(response.headers.get('content-disposition')).toBe('attachment; filename=wire.har')
  const { log } = JSON.parse(await response.text())
  expect(log.comment).toBe('The wire of http://127.0.0.1:3101, as its clients saw it.')
  expect(log.entries).toMatchObject([{ response: { status: 200, content: { text: 'tack' } } }])
})

test('the request of an arrival can be copied', async () => {
  exchange('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n', 'tack')
  const response = await fetch(`${page.url}/wire/${wire.newest}/request`)
  expect(await response.json()).toMatchObject({ method: 'GET', isStream: false })
  const missing = await fetch(`${page.url}/wire/99/request`)
  expect(missing.status).toBe(404)
  expect(await missing.text()).toBe('The request of this arrival is no longer kept.\n')
})

const ACTIONS: Action[] = [
  { do: 'grade' },
  { do: 'restart' },
  { do: 'kill' },
  { do: 'open', file: 'server.ts', line: 1 },
  { do: 'reset' },
  { do: 'lesson', number: 3 },
  { do: 'connect' },
  { do: 'leave', id: 12 },
  { do: 'cut' },
  { do: 'cut after', bytes: 1 },
  { do: 'cut after', bytes: null },
  { do: 'stall', on: false },
  { do: 'slow', bytesPerSecond: 1_000_000_000 },
  { do: 'slow', bytesPerSecond: null },
  { do: 'proxy', holds: '4 KiB' },
  { do: 'proxy', holds: null },
  { do: 'burst' },
  { do: 'clear' },
  { do: 'predict', way: 1, verdict: 'head waits' },
  { do: 'predict', way: 1, verdict: null },
  { do: 'measure' },
  { do: 'stop measuring' },
  { do: 'forget measurements' },
]

test.each(ACTIONS)('the page can request the action $do', async (action) => {
  const done = await post(action)
  expect(done).toMatchObject({ status: 200, answer: { said: 'Done.' } })
  played.answer = { problem: 'Not now.' }
  const refused = await post(action)
  expect(refused).toMatchObject({ status: 409, answer: { problem: 'Not now.' } })
  expect(played.asked).toEqual([action, action])
})

test('only a browser gets the secret, in the HTML of the page', async () => {
  const secret = `<meta name="secret" content="${page.secret}" />`
  const browser = await ask('GET', '/', { headers: { 'Sec-Fetch-Site': 'none' } })
  expect(browser.body).toContain(secret)
  const reloaded = await ask('GET', '/index.html', { headers: { 'Sec-Fetch-Site': 'same-origin' } })
  expect(reloaded.body).toContain(secret)
  for (const path of ['/', '/index.html', '/channel', '/assets/index-4f2a.js']) {
    const { status, body } = await ask('GET', path, { only: 'head' })
    expect(status).toBe(200)
    expect(body).not.toContain(page.secret)
  }
  expect((await ask('GET', '/')).body).not.toContain(page.secret)
})

test('an error in the session is reported, and the server keeps running', async () => {
  played.answer = new Error('The editor is out of order.')
  const { status, body } = await ask('POST', '/do', asAction(CUT))
  expect([status, body]).toEqual([500, 'The editor is out of order.\n'])
  played.answer = { said: 'Done.' }
  expect((await post({ do: 'cut' })).status).toBe(200)
})

// Requests from other origins

/** The request, its options and the expected status. The Host header is right unless the options change it. */
type Hostile = [what: string, request: string, status: number, asking?: Asking]
type Asking = { headers?: Record<string, string>; body?: string; host?: string; http?: string }

const JSON_TYPE = { 'Content-Type': 'application/json' }
const CUT = '{"do":"cut"}'
const asAction = (body: string): Asking => ({ headers: JSON_TYPE, body })

const HOSTILE: Hostile[] = [
  ['a foreign name that leads here', 'GET /', 421, { host: 'evil.example' }],
  ['a foreign name with our port', 'GET /channel', 421, { host: 'evil.example:PORT' }],
  ['our name as a part of a foreign one', 'GET /', 421, { host: '127.0.0.1:PORT.evil.example' }],
  ['our address without the port', 'GET /', 421, { host: '127.0.0.1' }],
  ['our address with another port', 'GET /', 421, { host: '127.0.0.1:80' }],
  ['our address with a name in front', 'GET /', 421, { host: 'me@127.0.0.1:PORT' }],
  ['an action under a foreign name', 'POST /do', 421, { ...asAction(CUT), host: 'evil.example' }],
  ['another address of this machine', 'GET /', 421, { host: '[::1]:PORT' }],
  ['no name at all', 'GET /', 400, { host: '' }],
  ['no name at all, in HTTP/1.0', 'GET /', 421, { host: '', http: '1.0' }],
  ['two names', 'GET /', 421, { host: '127.0.0.1:PORT\r\nHost: evil.example' }],
  ['a whole foreign URL as the target', 'GET http://evil.example/', 421],
  ['our own whole URL as the target', 'GET http://127.0.0.1:PORT/', 421],

  ['a foreign page', 'GET /', 403, { headers: { Origin: 'http://evil.example' } }],
  ['a page on another port', 'GET /', 403, { headers: { Origin: 'http://127.0.0.1:3101' } }],
  ['a page with our other name', 'GET /', 403, { headers: { Origin: 'http://localhost:PORT' } }],
  ['our page over TLS', 'GET /', 403, { headers: { Origin: 'https://127.0.0.1:PORT' } }],
  ['a page from nowhere', 'GET /', 403, { headers: { Origin: 'null' } }],
  ['two pages', 'GET /', 403, { headers: { Origin: 'http://127.0.0.1:PORT\r\nOrigin: http://x' } }],
  ['a foreign page listening', 'GET /channel', 403, { headers: { Origin: 'http://evil.example' } }],
  ['a cross-site link', 'GET /', 403, { headers: { 'Sec-Fetch-Site': 'cross-site' } }],
  ['a cross-site channel', 'GET /channel', 403, { headers: { 'Sec-Fetch-Site': 'cross-site' } }],
  ['a script tag', 'GET /wire.ndjson', 403, { headers: { 'Sec-Fetch-Site': 'cross-site' } }],
  ['an image of another port', 'GET /wire/1', 403, { headers: { 'Sec-Fetch-Site': 'same-site' } }],
  ['a site that no browser says', 'GET /', 403, { headers: { 'Sec-Fetch-Site': 'ours' } }],
  [
    'the permission to post from afar',
    'OPTIONS /do',
    403,
    { headers: { Origin: 'http://evil.example', 'Access-Control-Request-Method': 'POST' } },
  ],
  [
    'an action of a foreign page',
    'POST /do',
    403,
    { headers: { ...JSON_TYPE, Origin: 'http://evil.example' }, body: CUT },
  ],
  [
    'an action of a form in a sandbox',
    'POST /do',
    403,
    { headers: { ...JSON_TYPE, Origin: 'null', 'Sec-Fetch-Site': 'cross-site' }, body: CUT },
  ],

  [
    'an action without the secret',
    'POST /do',
    403,
    { ...asAction(CUT), headers: { ...JSON_TYPE, 'X-Secret': '' } },
  ],
  [
    'an action with a guess',
    'POST /do',
    403,
    { ...asAction(CUT), headers: { ...JSON_TYPE, 'X-Secret': '0'.repeat(32) } },
  ],

  ['JSON as text', 'POST /do', 415, { headers: { 'Content-Type': 'text/plain' }, body: CUT }],
  [
    'a form',
    'POST /do',
    415,
    { headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: 'do=cut' },
  ],
  [
    'a form with files',
    'POST /do',
    415,
    { headers: { 'Content-Type': 'multipart/form-data; boundary=x' }, body: '--x--' },
  ],
  ['JSON of no type', 'POST /do', 415, { body: CUT }],
  [
    'JSON in a type like it',
    'POST /do',
    415,
    { headers: { 'Content-Type': 'text/json' }, body: CUT },
  ],
  [
    'JSON in another charset',
    'POST /do',
    415,
    { headers: { 'Content-Type': 'application/json; charset=iso-8859-1' }, body: CUT },
  ],
  ['nothing', 'POST /do', 415, { headers: JSON_TYPE }],
  ['an empty body', 'POST /do', 400, { headers: { ...JSON_TYPE, 'Content-Length': '0' } }],
  ['JSON that is broken', 'POST /do', 400, asAction('{"do":"cut"')],
  ['JSON that is long', 'POST /do', 413, asAction(`{"do":"cut","x":"${'x'.repeat(5000)}"}`)],

  ['an action by GET', 'GET /do', 405],
  ['an action by GET with a query', 'GET /do?do=cut', 405],
  ['an action by HEAD', 'HEAD /do', 405],
  ['an action by PUT', 'PUT /do', 405, asAction(CUT)],
  ['the methods of /do', 'OPTIONS /do', 405],
  ['the methods of the page', 'OPTIONS /', 405],
  ['a post to the page', 'POST /', 405, asAction(CUT)],
  ['a post to the channel', 'POST /channel', 405, asAction(CUT)],
  ['the recording deleted', 'DELETE /wire.ndjson', 405],
  ['an echo', 'TRACE /', 405],
  [
    'a method that overrides itself',
    'GET /do',
    405,
    { headers: { 'X-HTTP-Method-Override': 'POST' } },
  ],
  ['an address that is not there', 'GET /nothing', 404],
  ['a post to another address', 'POST /do/it', 405, asAction(CUT)],

  ['null', 'POST /do', 400, asAction('null')],
  ['a list', 'POST /do', 400, asAction(`[${CUT}]`)],
  ['a word', 'POST /do', 400, asAction('"cut"')],
  ['no action', 'POST /do', 400, asAction('{}')],
  ['an action that nobody knows', 'POST /do', 400, asAction('{"do":"format"}')],
  ['an action that is a list', 'POST /do', 400, asAction('{"do":["cut"]}')],
  ['an action of Object.prototype', 'POST /do', 400, asAction('{"do":"constructor"}')],
  ['__proto__ as an action', 'POST /do', 400, asAction('{"do":"__proto__"}')],
  ['an action in __proto__', 'POST /do', 400, asAction('{"__proto__":{"do":"cut"}}')],
  ['__proto__ beside an action', 'POST /do', 400, asAction('{"do":"cut","__proto__":{"x":1}}')],
  ['a field in __proto__', 'POST /do', 400, asAction('{"do":"leave","__proto__":{"id":1}}')],
  ['a field too many', 'POST /do', 400, asAction('{"do":"cut","id":1}')],
  ['a field too few', 'POST /do', 400, asAction('{"do":"leave"}')],

  ...[
    ['a negative number', '-1'],
    ['zero', '0'],
    ['a part of a number', '1.5'],
    ['a number without end', '1e309'],
    ['a number that is too large', '1000000001'],
    ['a number in quotes', '"1"'],
    ['a number in a list', '[1]'],
    ['a truth for a number', 'true'],
    ['an object for a number', '{"valueOf":1}'],
  ].flatMap(([what, number]): Hostile[] => [
    [`${what}, as a client`, 'POST /do', 400, asAction(`{"do":"leave","id":${number}}`)],
    [`${what}, as a lesson`, 'POST /do', 400, asAction(`{"do":"lesson","number":${number}}`)],
    [`${what}, as bytes`, 'POST /do', 400, asAction(`{"do":"cut after","bytes":${number}}`)],
    [`${what}, as a pace`, 'POST /do', 400, asAction(`{"do":"slow","bytesPerSecond":${number}}`)],
  ]),
  ['a proxy that nobody knows', 'POST /do', 400, asAction('{"do":"proxy","holds":"1 KiB"}')],
  ['NaN, which JSON does not have', 'POST /do', 400, asAction('{"do":"leave","id":NaN}')],
  ['null for a client', 'POST /do', 400, asAction('{"do":"leave","id":null}')],
  ['a word for a truth', 'POST /do', 400, asAction('{"do":"stall","on":"yes"}')],
  [
    'a verdict that nobody knows',
    'POST /do',
    400,
    asAction('{"do":"predict","way":1,"verdict":"?"}'),
  ],
  ['a number for a truth', 'POST /do', 400, asAction('{"do":"stall","on":1}')],

  ...[
    ['a file above', '../server.ts'],
    ['a file of another lesson', '../02-server-sent-events/server.ts'],
    ['a file by its folder', './server.ts'],
    ['an absolute path', '/etc/passwd'],
    ['a path of Windows', 'C:\\\\Windows\\\\win.ini'],
    ['a file on a share', '\\\\\\\\evil.example\\\\share\\\\server.ts'],
    ['a URL', 'file:///etc/passwd'],
    ['a file with NUL', 'server.ts\\u0000.png'],
    ['a file with a line', 'server.ts:1'],
    ['a file with an option', '--wait'],
    ['a file with a command', 'server.ts; touch x'],
    ['a file in other letters', 'SERVER.TS'],
    ['a file that is encoded', '%73erver.ts'],
    ['no name of a file', ''],
    ['toString as a file', 'toString'],
  ].map(([what, file]): Hostile => [
    what!,
    'POST /do',
    400,
    asAction(`{"do":"open","file":"${file}"}`),
  ]),
  ['files in a list', 'POST /do', 400, asAction('{"do":"open","file":["server.ts"]}')],

  ...[
    ['a file above', '/../secret.txt'],
    ['a file above the assets', '/assets/../../secret.txt'],
    ['a file above, encoded', '/%2e%2e/secret.txt'],
    ['a slash, encoded', '/..%2fsecret.txt'],
    ['a slash among the assets, encoded', '/assets/..%2f..%2fsecret.txt'],
    ['a slash of Windows', '/..\\secret.txt'],
    ['a slash of Windows, encoded', '/..%5csecret.txt'],
    ['encoded twice', '/%252e%252e%252fsecret.txt'],
    ['encoded as no UTF-8', '/..%c0%afsecret.txt'],
    ['encoded by half', '/%'],
    ['NUL', '/index.html%00.js'],
    ['a hidden file', '/.hidden'],
    ['a hidden file, encoded', '/%2ehidden'],
    ['another host by slashes', '//evil.example/secret.txt'],
    ['an absolute path', '//etc/passwd'],
    ['a folder', '/assets'],
    ['a folder with a slash', '/assets/'],
    ['a file above the pictures, encoded', '/pictures/..%2f..%2fpackage.json'],
    ['a folder of pictures', '/pictures/'],
    ['a lesson', '/lessons/01-raw-chunks/server.ts'],
  ].map(([what, path]): Hostile => [`${what}, as a path`, `GET ${path}`, 404]),
]

test.each(HOSTILE)('%s: %s gets %i', async (_what, request, status, asking = {}) => {
  const [method, path] = request.split(' ') as [string, string]
  const answer = await ask(method, path, asking)
  expect(answer.status).toBe(status)
  expect(answer.headers).not.toMatch(/^access-control-/im)
  expect(answer.body).not.toContain('secret')
  expect(played.asked).toEqual([])
  // The answer is a readable sentence, except that Node itself answers a request without Host.
  if (method === 'HEAD' || asking.host === '') return
  expect(answer.body).toMatch(/\w+/)
  expect(answer.body).not.toMatch(/<html|\n {4}at /)
})

test.each(['/', '/channel', '/wire.ndjson', '/wire/2', '/assets/index-4f2a.js'])(
  'HEAD %s is answered with a head, at once',
  async (path) => {
    exchange('HTTP/1.1 200 OK\r\n\r\n', '')
    const { status, body } = await ask('HEAD', path)
    expect([status, body]).toEqual([200, ''])
    expect(played.listeners).toBe(0)
  },
)

test('no GET request changes anything', async () => {
  exchange('HTTP/1.1 200 OK\r\n\r\n', '')
  const before = [structuredClone(played.session.state), wire.newest]
  for (const path of ['/', '/wire/2', '/wire.ndjson', '/do', '/do?do=clear', '/clear']) {
    await ask('GET', path)
  }
  ;(await listenTo('/channel?do=clear')).cut()
  expect([played.session.state, wire.newest]).toEqual(before)
  expect(played.asked).toEqual([])
})

type Played = {
  readonly session: Session
  /** The actions that the page has requested. */
  readonly asked: Action[]
  answer: Answer | Error
  readonly listeners: number
  change<Slice extends keyof PageState>(slice: Slice, value: PageState[Slice]): void
}

/** A session that a test controls completely. */
function playedSession(recorded: Recorder): Played {
  const state: PageState = {
    lesson: {
      number: 1,
      title: 'Raw chunks',
      of: 2,
      folder: 'lessons/01-raw-chunks',
      isExhibit: false,
      readme: '# Raw chunks\n\nTwo lines.\n',
      tasks: [{ id: '1.1', title: 'Send' }],
      files: ['server.ts', 'watch.ts'],
    },
    server: { state: 'running', url: 'http://127.0.0.1:3101/quakes.ndjson', printed: [] },
    clients: [],
    faults: { isStalled: false },
    recording: { from: 1 },
  }
  const listeners = new Set<(slice: keyof PageState) => void>()
  const asked: Action[] = []
  return {
    asked,
    answer: { said: 'Done.' },
    get listeners() {
      return listeners.size
    },
    change(slice, value) {
      state[slice] = value
      for (const changed of listeners) changed(slice)
    },
    session: {
      state,
      recorder: recorded,
      listen(changed) {
        listeners.add(changed)
        return () => listeners.delete(changed)
      },
      async act(action) {
        asked.push(action)
        if (played.answer instanceof Error) throw played.answer
        return played.answer
      },
    },
  }
}

/** Records `count` entries. */
function note(count: number): void {
  for (let n = 0; n < count; n += 1) wire.note('something happened')
}

/** Records a request and its response in two pieces: entries 1 to 4. */
function exchange(head: string, body: string): Buffer {
  const bytes = Buffer.from(body)
  const { observer } = wire
  observer.opened(1)
  const request = Buffer.from('GET / HTTP/1.1\r\n\r\n')
  observer.arrived(1, { at: 0, hop: 'client', direction: 'request', bytes: request })
  for (const piece of [Buffer.from(head), bytes]) {
    observer.arrived(1, { at: 1, hop: 'client', direction: 'response', bytes: piece })
  }
  return bytes
}

async function post(action: Action): Promise<{ status: number; answer: Answer }> {
  const response = await fetch(`${page.url}/do`, {
    method: 'POST',
    headers: {
      ...JSON_TYPE,
      Origin: page.url,
      'Sec-Fetch-Site': 'same-origin',
      'X-Secret': page.secret,
    },
    body: JSON.stringify(action),
  })
  return { status: response.status, answer: (await response.json()) as Answer }
}

/** Sends a raw, possibly malformed request. PORT is replaced with the page's port. */
async function ask(
  method: string,
  path: string,
  {
    headers = {},
    body = '',
    host = '127.0.0.1:PORT',
    http = '1.1',
    only,
  }: Asking & { only?: 'head' } = {},
): Promise<{ status: number; headers: string; body: string }> {
  const lines = [
    `${method} ${path} HTTP/${http}`,
    ...(host ? [`Host: ${host}`] : []),
    ...Object.entries({ 'X-Secret': page.secret, ...headers }).map(
      ([name, value]) => `${name}: ${value}`,
    ),
    ...(body ? [`Content-Length: ${Buffer.byteLength(body)}`] : []),
    'Connection: close',
  ]
  const socket = bareSocket(page.port)
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`.replaceAll('PORT', String(page.port)))
  let answer = ''
  socket.on('data', (bytes) => {
    answer += bytes.toString()
    if (only && answer.includes('\r\n\r\n')) socket.destroy()
  })
  await once(socket, 'close')
  const [head = '', ...rest] = answer.split('\r\n\r\n')
  return { status: Number(head.split(' ')[1]), headers: head, body: rest.join('\r\n\r\n') }
}

/** Opens a channel without the rest of the page, so that a test can inspect its queue, and reads nothing from it. */
async function stalledPage() {
  const answered = pending<ServerResponse>()
  const server = createServer((_req, res) => {
    openChannel({ session: played.session, epoch: 'now', after: 0, res })
    answered.resolve(res)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = bareSocket(port)
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n')
  return { socket, res: await answered.promise, server }
}

/** Records bytes at the client. */
function crossed(connection: number, direction: 'request' | 'response', text: string): void {
  wire.observer.arrived(connection, { at: 1, hop: 'client', direction, bytes: Buffer.from(text) })
}

function bareSocket(port: number): Socket {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  leave.push(() => socket.destroy())
  return socket
}

// oxlint-disable-next-line typescript/no-explicit-any -- each test knows what it expects
type Told = Omit<StreamEvent, 'data'> & { data: any }

type Events = {
  push(bytes: Uint8Array): void
  /** Returns the next event of a type, which may already have arrived. */
  next(type: string): Promise<Told>
  readonly all: readonly Told[]
  readonly types: string[]
  /** The numbers of all entries that have arrived. */
  readonly entries: number[]
  readonly lastEventId: string
  readonly retry: number | undefined
}

function readEvents(): Events {
  const reader = new EventStreamParser()
  const all: Told[] = []
  let seen = 0
  let wake = (): void => {}
  return {
    push(bytes) {
      for (const event of reader.push(bytes)) {
        const { type, ...rest } = JSON.parse(event.data) as ChannelMessage
        all.push({ ...event, type, data: contentOf(rest) })
      }
      wake()
    },
    async next(type) {
      for (;;) {
        while (seen < all.length) {
          seen += 1
          if (all[seen - 1]!.type === type) return all[seen - 1]!
        }
        await new Promise<void>((resolve) => (wake = resolve))
      }
    },
    all,
    get types() {
      return all.map(({ type }) => type)
    },
    get entries() {
      return all.flatMap(({ type, data }) => (type === 'wire' ? data : [])).map(({ n }) => n)
    },
    get lastEventId() {
      return reader.lastEventId
    },
    get retry() {
      return reader.retry
    },
  }
}

function contentOf(message: object): unknown {
  if ('entries' in message) return message.entries
  return 'exchanges' in message ? message.exchanges : message
}

type Listening = Events & {
  /** Waits until the initial state has arrived. */
  started(): Promise<void>
  cut(): void
  readonly ended: Promise<void>
}

/** Connects to a stream. @param options.bytes the number of bytes after which to disconnect */
async function listenTo(
  path: string,
  headers: Record<string, string> = {},
  { bytes = Infinity } = {},
): Promise<Listening> {
  const request = get(`${page.url}${path}`, { headers, agent: false })
  request.on('error', () => {})
  const [response] = await once(request, 'response')
  const events = readEvents()
  const ended = pending<void>()
  let left = bytes
  response.on('data', (piece: Buffer) => {
    events.push(piece.subarray(0, left))
    left -= piece.length
    if (left <= 0) response.destroy()
  })
  response.on('error', () => {})
  response.on('close', () => ended.resolve())
  leave.push(() => request.destroy())
  // Do not spread the object, because that would copy the values and not the getters.
  return Object.assign(Object.create(events) as Events, {
    async started() {
      for (let slices = 0; slices < SLICES.length; slices += 1) await events.next('state')
    },
    cut: () => void request.destroy(),
    ended: ended.promise,
  })
}

function pending<T>(): { promise: Promise<T>; resolve(value: T): void } {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((done) => (resolve = done))
  return { promise, resolve }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

const LONG = 'x'.repeat(1000)
