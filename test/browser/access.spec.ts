import { ALL_LOOKS, expectNoFinding } from './axe.ts'
import { pick } from './pick.ts'
import { expect, test } from './workshop.ts'

test('no finding of axe, on a stub, on a failure, on an arrival, in dark, light and narrow; nothing is cut off', async ({
  lesson,
  page,
}) => {
  await page.setViewportSize({ width: 400, height: 800 })
  const { url, copy } = await lesson(1, 'stubs')
  await page.goto(url)
  await expect(page.getByText('This is the starting point')).toBeVisible()
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(400)
  for (const name of ['Connect a client', 'Cut now', 'Grade now']) {
    await page.getByRole('button', { name }).scrollIntoViewIfNeeded()
    await expect(page.getByRole('button', { name })).toBeInViewport({ ratio: 1 })
  }
  await expectNoFinding(page, 'a stub', ALL_LOOKS)

  copy.write('lessons/01-raw-chunks/server.ts', FAILS)
  await expect(page.getByText('reference', { exact: true })).toBeVisible()
  await page.getByRole('button', { name: 'Connect a client' }).click()
  const arrival = page.getByRole('option', { name: /client.*← response \d+ B/ }).last()
  await pick(arrival)
  await expect(page.getByRole('button', { name: 'hex' })).toBeVisible()
  await page.getByRole('button', { name: 'Stall' }).click()
  await expectNoFinding(page, 'a failure, and an arrival', ALL_LOOKS)
})

test('no finding of axe on the wire alone', async ({ workshop, page }) => {
  const { url } = await workshop('wire', 'http://127.0.0.1:9')
  await page.goto(url)
  await expect(page.getByText('Nothing has crossed yet')).toBeVisible()
  await expectNoFinding(page, 'the wire alone', ALL_LOOKS)
})

const FAILS = `
  import express from 'express'
  export function createApp(feed) {
    return express().get('/quakes.ndjson', async (req, res) => {
      res.set('Content-Type', 'application/x-ndjson').flushHeaders()
      for await (const quake of feed.open(new AbortController().signal)) {
        res.write(JSON.stringify(quake) + '\\n')
      }
    })
  }
`
