import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, get, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { createGzip, gzipSync } from 'node:zlib'
import { WebSocket, WebSocketServer } from 'ws'
import { ALL_LOOKS, expectNoFinding } from './axe.ts'
import { pick } from './pick.ts'
import { expect, test } from './workshop.ts'

// These tests need no grading.
test.use({ isGraded: false })

let server: Server
test.afterEach(() => {
  server.closeAllConnections()
  server.close()
})

test('npm run wire shows the traffic of any server, saves it and loads it again; axe finds nothing', async ({
  copy,
  workshop,
  page,
}) => {
  const port = await serving((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: Göteborg\n\n')
  })
  const { url, program } = await workshop('wire', `http://127.0.0.1:${port}/stream`)
  const [, tapped] = /(http:\S+)\s+your server, through the wire/.exec(program.output)!
  await page.goto(url)
  await expect(page.getByText('Nothing has crossed the wire yet')).toBeVisible()
  await expectNoFinding(page, 'the wire alone', ALL_LOOKS)
  const client = get(tapped!, { agent: false })
  const [response] = await once(client, 'response')
  await once(response, 'data')
  await page.getByRole('button', { name: 'Arrivals' }).click()
  // Ignore errors, because the connection will be cut.
  for (const emitter of [client, response]) emitter.on('error', () => {})
  await pick(page.getByRole('option', { name: /client.*← response/ }).last())
  const arrival = page.getByRole('region', { name: 'The selected arrival' })
  await expect(arrival).toContainText('data: Göteborg')
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await arrival.getByRole('button', { name: 'Copy as curl' }).click()
  await expect(page.getByText(/^Command for .* copied\.$/)).toBeVisible()
  const command = await page.evaluate(() => navigator.clipboard.readText())
  expect(command).toMatch(/^curl(\.exe)? -N /)
  expect(command).toContain(tapped!)

  // Selecting an arrival has paused the list.
  await page.getByRole('button', { name: 'Follow' }).click()
  await page.getByRole('button', { name: 'Cut now' }).click()
  // Move the pointer away, because the list of latest entries holds still while the pointer is over the list.
  await page.getByRole('heading', { name: 'The wire' }).hover()
  await expect(page.getByRole('option', { name: /✕.*the client sees a cut/ })).toBeVisible()
  await page.getByText('Save', { exact: true }).click()
  await expect(page.getByText('including cookies and Authorization headers')).toBeVisible()
  await expectNoFinding(page, 'the menu for saving', ALL_LOOKS)
  const har = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Save as HAR' }).click()
  await (await har).saveAs(copy.path('wire.har'))
  expect(JSON.parse(readFileSync(copy.path('wire.har'), 'utf8')).log.entries).toMatchObject([
    { response: { content: { text: 'data: Göteborg\n\n' }, _error: expect.anything() } },
  ])
  const downloading = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Save the recording' }).click()
  const file = copy.path('my wire.ndjson')
  await (await downloading).saveAs(file)

  await page.getByRole('button', { name: 'Clear' }).click()
  await expect(page.getByText('Nothing has crossed')).toBeVisible()
  await page.locator('input[type=file]').setInputFiles(file)
  await expect(page.getByText(/^Recording: my wire\.ndjson, of /)).toHaveText(
    new RegExp(`of http://127.0.0.1:${port}, \\d+ [A-Z][a-z]+ \\d\\d:\\d\\d$`),
  )
  await pick(page.getByRole('option', { name: /client.*← response/ }).last())
  await expect(arrival).toContainText('data: Göteborg')
  await expect(page.getByRole('option', { name: /✕.*the client sees a cut/ })).toBeVisible()
  await page.evaluate(() => navigator.clipboard.writeText(''))
  await arrival.getByRole('button', { name: 'Copy as curl' }).click()
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(command)

  writeFileSync(file, 'no recording')
  await page.locator('input[type=file]').setInputFiles(file)
  await expect(page.getByText(/This file is not a recording/)).toBeVisible()
})

test('each request has a row, and shows its bodies with the times of their events; axe finds nothing', async ({
  workshop,
  page,
}) => {
  const port = await serving(answer)
  new WebSocketServer({ server }).on('connection', (socket) =>
    socket.on('message', (text) => socket.send(`echo ${String(text)}`)),
  )
  const { url, program } = await workshop('wire', `http://127.0.0.1:${port}/`)
  const [, tapped] = /(http:\S+)\s+your server, through the wire/.exec(program.output)!
  await page.goto(url)
  await expect(page.getByText('No request has crossed the wire yet.')).toBeVisible()
  const json = await fetch(new URL('/quakes?page=2', tapped), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"limit":1}',
  })
  expect(await json.json()).toEqual({ quakes: [] })
  expect(await (await fetch(new URL('/lines', tapped))).text()).toBe('{"n":1}\n{"n":2}\n')
  await expect((await fetch(new URL('/cut', tapped))).text()).rejects.toThrow()
  const stream = await fetch(new URL('/events', tapped))
  const socket = new WebSocket(tapped!.replace('http', 'ws'))
  await once(socket, 'open')
  socket.send('hello')
  await once(socket, 'message')

  const row = (name: RegExp) => page.getByRole('row', { name })
  await expect(row(/GET \/events 200 event-stream .* open/)).toBeVisible()
  await expect(row(/GET \/ 101 WebSocket .* open/)).toBeVisible()
  await expect(row(/GET \/cut 200 .* ✕/)).toBeVisible()
  await expectNoFinding(page, 'the requests')

  const details = page.getByRole('region', { name: 'The selected request' })
  await row(/POST \/quakes\?page=2 200 json .* complete/).click()
  await expect(details).toContainText('"limit": 1')
  await expect(details).toContainText('13 B from 33 B of gzip.')
  await expect(details).toContainText('"quakes": []')
  await page.keyboard.press('ArrowDown')
  await expect(details).toContainText('GET /lines · 200 · application/x-ndjson')
  await expect(details.getByRole('row', { name: /s \{"n":1\}/ })).toBeVisible()
  await page.keyboard.press('End')
  await expect(details.getByRole('row', { name: '→ text hello' })).toBeVisible()
  await expect(details.getByRole('row', { name: '← text echo hello' })).toBeVisible()

  // An open stream is shown again when more of it has arrived, and here although it is compressed.
  const filter = page.getByRole('searchbox', { name: 'Filter requests' })
  await filter.fill('open event-stream')
  await row(/GET \/events/).click()
  await expect(page.getByRole('grid').getByRole('row')).toHaveCount(2)
  await expect(details.getByRole('row', { name: 'message 1 first' })).toBeVisible()
  flushSecond()
  await expect(details.getByRole('row', { name: 'message 2 second' })).toBeVisible()
  await expectNoFinding(page, 'a selected request')
  await expect(page.getByRole('combobox', { name: 'Connection' })).toContainText(
    /GET \/events and 2 earlier, #\d/,
  )
  await filter.fill('failed')
  await row(/GET \/cut/).click()
  await expect(details).toContainText('the client sees a cut, not an end')
  await page.keyboard.press('Enter')
  await expect(details).toBeFocused()

  await page.getByRole('button', { name: 'Close' }).click()
  await filter.fill('')
  await page.getByRole('button', { name: 'Clear' }).click()
  // The header, and the two requests that are still open.
  await expect(page.getByRole('grid').getByRole('row')).toHaveCount(3)
  socket.close()
  await stream.body!.cancel()
})

test.describe('with every frame', () => {
  test.use({ hasEveryFrame: true })

  test('tens of thousands of arrivals at full speed: none is dropped, and the page stays responsive', async ({
    workshop,
    page,
  }) => {
    const port = await serving((_request, response) => void response.end('ok'))
    const { url, program } = await workshop('wire', `http://127.0.0.1:${port}/`)
    const [, tapped] = /(http:\S+)\s+your server, through the wire/.exec(program.output)!
    await page.goto(url)
    await expect(page.getByText('Nothing has crossed the wire yet')).toBeVisible()
    await page.evaluate(watchFrames)
    const begun = performance.now()
    await Promise.all(Array.from({ length: CLIENTS }, () => ask(tapped!, QUESTIONS)))
    const seconds = (performance.now() - begun) / 1000

    // Each request and response is seen at the client and at the server, and each connection opens and closes.
    const arrivals = 4 * CLIENTS * QUESTIONS
    const entries = arrivals + 2 * CLIENTS
    await expect(page.getByText(`${entries.toLocaleString('en')} entries`)).toBeVisible()
    const saved = await (await fetch(`${url}/wire.ndjson`)).text()
    expect(saved.match(/"kind":"arrived"/g)).toHaveLength(arrivals)
    const longest = Math.round(Number(await page.evaluate('window.longestFrame')))
    test.info().annotations.push({
      type: 'measured',
      description: `${Math.round(arrivals / seconds)} arrivals a second, longest frame ${longest} ms`,
    })
    await page.getByRole('button', { name: 'Clear' }).click()
    await expect(page.getByText('Nothing has crossed')).toBeVisible()
  })
})

let flushSecond: () => void

/** Answers with JSON, NDJSON, a body that is cut off, or events, each flushed by the compressor. */
const answer: Parameters<typeof createServer>[1] & {} = ({ url = '' }, response) => {
  const zipped = { 'content-encoding': 'gzip' }
  if (url.startsWith('/quakes')) {
    response.writeHead(200, { 'content-type': 'application/json', ...zipped })
    response.end(gzipSync('{"quakes":[]}'))
  } else if (url === '/lines') {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    response.end('{"n":1}\n{"n":2}\n')
  } else if (url === '/cut') {
    response.writeHead(200, { 'content-length': 9 })
    response.write('half', () => response.destroy())
  } else {
    response.writeHead(200, { 'content-type': 'text/event-stream', ...zipped })
    const gzip = createGzip()
    gzip.pipe(response)
    const flush = (text: string): void => {
      gzip.write(text)
      gzip.flush()
    }
    flush('id: 1\ndata: first\n\n')
    flushSecond = () => flush('id: 2\ndata: second\n\n')
  }
}

const CLIENTS = 20
const QUESTIONS = 500

/** Sends requests one after another on one connection, so that each request and response arrives separately. */
async function ask(url: string, times: number): Promise<void> {
  const { host, port } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  for (let n = 0; n < times; n += 1) {
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    await once(socket, 'data')
  }
  socket.end()
}

/** Measures the longest time between two frames, in milliseconds. */
function watchFrames(): void {
  const seen = window as typeof window & { longestFrame: number }
  seen.longestFrame = 0
  let last = performance.now()
  requestAnimationFrame(function frame(now) {
    seen.longestFrame = Math.max(seen.longestFrame, now - last)
    last = now
    requestAnimationFrame(frame)
  })
}

async function serving(handle: Parameters<typeof createServer>[1] & {}): Promise<number> {
  server = createServer(handle as never)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}
