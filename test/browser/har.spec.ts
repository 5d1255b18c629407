import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { expect, test } from '@playwright/test'
import { serializeHar } from '../../wire/har.ts'
import { chunk, scripted } from '../workshop/recorded.ts'

// Playwright is a program that reads HAR files, written by others than us.
test('a browser gets the responses in a saved HAR file', async ({ page }, info) => {
  const wire = scripted()
  const zipped = gzipSync('{"city":"Göteborg"}')
  wire.open(1)
  say(
    'GET / HTTP/1.1',
    'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n<p>Hi</p>',
  )
  say(
    'GET /events HTTP/1.1',
    'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n' +
      `${chunk('data: 1\n\n')}${chunk('data: 2\n\n')}0\r\n\r\n`,
  )
  say(
    'GET /city?of=x HTTP/1.1',
    `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: ${zipped.length}\r\n\r\n` +
      zipped.toString('latin1'),
  )
  const file = info.outputPath('wire.har')
  const { began, newest } = wire.recorder
  const entries = wire.recorder.recordedAfter(0, newest)
  writeFileSync(file, [...serializeHar({ entries, from: 1, began })].join(''))

  await page.routeFromHAR(file)
  await page.goto('http://x.test/')
  await expect(page.getByText('Hi')).toBeVisible()
  expect(await page.evaluate(async () => (await fetch('/events')).text())).toBe(
    'data: 1\n\ndata: 2\n\n',
  )
  expect(await page.evaluate(async () => (await fetch('/city?of=x')).json())).toEqual({
    city: 'Göteborg',
  })

  function say(request: string, response: string): void {
    wire.say(1, 0, 'request', `${request}\r\nHost: x.test\r\n\r\n`)
    wire.say(1, 1, 'response', response)
  }
})
