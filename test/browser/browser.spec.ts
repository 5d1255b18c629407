import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from '@playwright/test'

test('the browser that npm run setup finds shows a page as it streams', async ({ page }) => {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8')
    // It never ends: what is shown has been streamed.
    response.write('<!doctype html><title>Tremor</title><h1>magnitude 4.2</h1>')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  await page.goto(`http://127.0.0.1:${port}`, { waitUntil: 'commit' })
  await expect(page.getByRole('heading')).toHaveText('magnitude 4.2')
  server.closeAllConnections()
  server.close()
})
