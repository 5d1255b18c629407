import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { expect, type Page } from '@playwright/test'
import { test } from './react/stage.ts'

// Tests how many streams from one server a browser keeps open at the same time.

test('over HTTP/1.1 the seventh stream, and any other request, waits until one of six streams is closed', async ({
  serve,
  page,
}) => {
  const server = await origin('http')
  const elsewhere = await serve()
  await page.goto(server.url)
  await page.evaluate(openStreams, 7)
  await page.evaluate(fetchText)
  await page.waitForFunction(() => window.opened() === 6)
  // The browser itself is not blocked, because another server answers.
  await page.evaluate((url) => void new EventSource(url), elsewhere.url)
  await elsewhere.until(() => elsewhere.requests === 1)
  expect(server.asked).toEqual(Array(6).fill('/stream'))
  expect(await page.evaluate(() => window.opened())).toBe(6)
  expect(await page.evaluate(() => window.errors)).toBe(0)

  await page.evaluate(() => window.streams[0]!.close())
  await page.waitForFunction(() => window.streams[6]!.readyState === 1)
  expect(server.asked).toEqual(Array(7).fill('/stream'))
  await page.evaluate(() => window.streams[1]!.close())
  await page.waitForFunction(() => window.text === 'the text')
  server.close()
})

test('over HTTP/1.1 a seventh tab stays empty until one of six tabs is closed', async ({
  context,
}) => {
  const server = await origin('http')
  const tabs: Page[] = []
  for (let n = 0; n < 6; n += 1) {
    const tab = await context.newPage()
    await tab.goto(server.url)
    tabs.push(tab)
  }
  for (const tab of tabs) await tab.evaluate(openStreams, 1)
  for (const tab of tabs) await tab.waitForFunction(() => window.opened() === 1)
  const seventh = await context.newPage()
  let isShown = false
  const shown = seventh.goto(server.url).then(() => (isShown = true))
  const elsewhere = await origin('http')
  const eighth = await context.newPage()
  await eighth.goto(elsewhere.url)
  expect(isShown).toBe(false)
  await tabs[0]!.close()
  await shown
  server.close()
  elsewhere.close()
})

test('over HTTP/2 ten streams are open at the same time, and a request is still answered', async ({
  browser,
}) => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  const page = await context.newPage()
  const server = await origin('https')
  await page.goto(server.url)
  await page.evaluate(openStreams, 10)
  await page.waitForFunction(() => window.opened() === 10)
  await page.evaluate(fetchText)
  await page.waitForFunction(() => window.text === 'the text')
  await context.close()
  server.close()
})

test('over HTTP/1.1 a stream shared by many components leaves five connections free', async ({
  show,
  stageServer,
}) => {
  const { page, draw, shows } = await show('solution')
  await draw(...Array<string>(20).fill(stageServer.url))
  await shows({ status: 'open' }, 19)
  expect(await page.evaluate(async () => (await fetch('/')).status)).toBe(200)
})

declare global {
  interface Window {
    streams: EventSource[]
    opened(): number
    errors: number
    text?: string
  }
}

function openStreams(count: number): void {
  window.streams = Array.from({ length: count }, () => new EventSource('/stream'))
  window.errors = 0
  for (const stream of window.streams) stream.onerror = () => (window.errors += 1)
  window.opened = () => window.streams.filter(({ readyState }) => readyState === 1).length
}

async function fetchText(): Promise<void> {
  void fetch('/text').then(async (response) => (window.text = await response.text()))
}

type Origin = {
  url: string
  /** The requested paths, in order, without the page itself. */
  asked: string[]
  close(): void
}

/** A server with a page, a silent stream and a text. */
async function origin(protocol: 'http' | 'https'): Promise<Origin> {
  const asked: string[] = []
  const handle: RequestListener = ({ url = '' }, response) => {
    if (url === '/') {
      response.setHeader('Content-Type', 'text/html')
      response.end('<!doctype html><link rel="icon" href="data:,"><title>six</title>')
      return
    }
    asked.push(url)
    if (url === '/text') return void response.end('the text')
    response.setHeader('Content-Type', 'text/event-stream')
    response.write(': here\n\n')
  }
  const sockets = new Set<{ destroy(): void }>()
  const server =
    protocol === 'http'
      ? createServer(handle)
      : createSecureServer(
          { key: file('key.pem'), cert: file('cert.pem') },
          // The same code serves both versions of HTTP.
          handle as never,
        )
  server.on('connection', (socket) => sockets.add(socket))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `${protocol}://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** A self-signed certificate, only for these tests. */
function file(name: string): Buffer {
  return readFileSync(new URL(`react/certificate/${name}`, import.meta.url))
}
