import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page, TestInfo } from '@playwright/test'
import { lessonsFolder } from '../../workshop/lessons/catalogue.ts'
import { ROOT } from '../../workshop/root.ts'
import { pick } from './pick.ts'
import { expect, test } from './workshop.ts'

// Tests the screenshots in README.md. `npx playwright test pictures -u` takes them again. Next to each screenshot is a text
// snapshot of the page. If the page no longer matches the snapshot, the screenshot is out of date, and this test fails.

const FOLDER = join(ROOT, 'docs/pictures')
const README = '01-raw-chunks/README.md'

test('the screenshots in the README are up to date', async ({ lesson, page }, info) => {
  // Skip if a learner has deleted the lesson's README, but not in CI.
  if (!process.env.CI && !existsSync(join(lessonsFolder, README))) test.skip()
  const readme = readFileSync(join(lessonsFolder, README), 'utf8')
  const { url, copy } = await lesson(1, 'stubs', readme)
  await page.setViewportSize({ width: 1360, height: 850 })
  await page.goto(url)
  await expect(page.getByText('This is the starting point')).toBeVisible()
  copy.write('lessons/01-raw-chunks/server.ts', NEVER_CLOSES)
  await expect(page.getByText('reference', { exact: true })).toBeVisible()
  await expect(page.getByRole('button', { name: 'Grade now' })).toBeEnabled()
  await page.getByRole('button', { name: 'Connect a client' }).click()
  await expect(page.getByText(/reading · \d\d+ quakes/)).toBeVisible()
  await picture(page, 'lesson-1-red', info)

  await page.emulateMedia({ colorScheme: 'dark' })
  await page.getByRole('button', { name: 'Cut now' }).click()
  await expect(page.getByRole('option', { name: /#1 .*✕/ })).toBeVisible()
  await pick(page.getByRole('option', { name: /client.*← response 2\d\d B/ }).first())
  await expect(page.getByRole('button', { name: 'hex' })).toBeVisible()
  await picture(page, 'wire', info)
})

test('the README shows each screenshot, with alternative text', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  for (const name of ['lesson-1-red', 'wire']) {
    expect(readme).toMatch(new RegExp(`!\\[.{20,}\\]\\(docs/pictures/${name}\\.png\\)`))
  }
})

async function picture(page: Page, name: string, { config }: TestInfo): Promise<void> {
  const words = await inWords(page)
  if (config.updateSnapshots === 'changed') {
    mkdirSync(FOLDER, { recursive: true })
    await page.screenshot({ path: join(FOLDER, `${name}.png`) })
    writeFileSync(join(FOLDER, `${name}.txt`), words)
  }
  const shown = readFileSync(join(FOLDER, `${name}.txt`), 'utf8').replaceAll('\r\n', '\n')
  expect(words, `docs/pictures/${name}.png is old: npx playwright test pictures -u`).toBe(shown)
}

/** Returns a text snapshot of the page, without the wire and everything else that differs between runs. */
async function inWords(page: Page): Promise<string> {
  const parts = [page.getByRole('banner'), page.getByRole('region', { name: 'Checks' })]
  const said = await Promise.all(parts.map((part) => part.ariaSnapshot()))
  return `${said
    .join('\n')
    .replace(/SEED=\d+/g, 'SEED=…')
    .replace(/of \d+ Raw/, 'of … Raw')
    .replace(/M [\d.-]+ · .*$/gm, 'M …')}\n`
}

/** A server that looks right in the browser but never closes the feed. */
const NEVER_CLOSES = `import express from 'express'
import type { Feed } from '#feed'

export function createApp(feed: Feed) {
  const app = express()
  app.get('/quakes.ndjson', async (req, res) => {
    res.set('Content-Type', 'application/x-ndjson').flushHeaders()
    for await (const quake of feed.open(new AbortController().signal)) {
      res.write(JSON.stringify(quake) + '\\n')
    }
    res.end()
  })
  return app
}
`
