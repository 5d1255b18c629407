import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from './workshop.ts'

// These tests need no grading.
test.use({ isGraded: false })

test('a page of another origin can read, start and change nothing', async ({
  lesson,
  page,
  context,
}) => {
  const { url, program } = await lesson(1, 'solutions')
  const printedBefore = program.output.length
  const elsewhere = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>elsewhere</title>')
  })
  await once(elsewhere.listen(0, '127.0.0.1'), 'listening')
  const { port } = elsewhere.address() as AddressInfo
  // A page on another port has another origin. A page on `localhost` even belongs to another site.
  for (const host of ['127.0.0.1', 'localhost']) {
    await page.goto(`http://${host}:${port}`)
    const got = await page.evaluate(tryEverything, url)
    expect(got, host).toEqual({
      'read the page': 'nothing',
      'read the wire': 'nothing',
      'post JSON': 'nothing',
      'post text': 'nothing',
      'listen to the channel': 'nothing',
      'run as a script': 'nothing',
      'show in a frame': 'nothing',
    })
    // A form is not subject to CORS, so it is sent, and must be refused.
    const refused = page.waitForResponse(`${url}/do`)
    await page.evaluate((to) => {
      document.body.innerHTML = `<form method="post" enctype="text/plain" action="${to}/do">
        <input name='{"do":"reset","' value='":1}'></form>`
      document.querySelector('form')!.submit()
    }, url)
    expect((await refused).status()).toBe(403)
    await page.waitForURL(`${url}/do`)
  }
  expect(program.output.slice(printedBefore)).not.toMatch(/Saved at/)

  // The page itself keeps working.
  const own = await context.newPage()
  await own.goto(url)
  await expect(own.getByText('server.ts is running')).toBeVisible()
  elsewhere.closeAllConnections()
  elsewhere.close()
})

/** Tries everything that a hostile page would try, and returns the results. */
async function tryEverything(url: string): Promise<Record<string, string>> {
  const read = async (path: string, init?: RequestInit): Promise<string> => {
    try {
      const response = await fetch(url + path, init)
      return response.type === 'opaque' ? 'nothing' : `status ${response.status}`
    } catch {
      return 'nothing'
    }
  }
  const loaded = (element: HTMLElement & { src: string }, path: string): Promise<string> =>
    new Promise((resolve) => {
      element.addEventListener('load', () => {
        const isEmpty = element instanceof HTMLIFrameElement && element.contentDocument === null
        resolve(isEmpty ? 'nothing' : 'loaded')
      })
      element.addEventListener('error', () => resolve('nothing'))
      element.src = url + path
      document.body.append(element)
    })
  const listen = (): Promise<string> =>
    new Promise((resolve) => {
      const source = new EventSource(`${url}/channel`)
      source.addEventListener('hello', () => resolve('hello'))
      source.addEventListener('error', () => {
        source.close()
        resolve('nothing')
      })
    })
  const body = JSON.stringify({ do: 'reset' })
  const json = { 'content-type': 'application/json' }
  return {
    'read the page': await read('/'),
    'read the wire': await read('/wire.ndjson'),
    'post JSON': await read('/do', { method: 'POST', headers: json, body }),
    'post text': await read('/do', { method: 'POST', mode: 'no-cors', body }),
    'listen to the channel': await listen(),
    'run as a script': await loaded(document.createElement('script'), '/wire.ndjson'),
    'show in a frame': await loaded(document.createElement('iframe'), '/'),
  }
}
