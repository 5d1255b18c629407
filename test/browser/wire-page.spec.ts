import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, get, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
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
