import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { lessonsFolder } from '../../workshop/lessons/catalogue.ts'
import type { Copy } from '../workshop/copy.ts'
import { expectNoFinding } from './axe.ts'
import { expect, test } from './workshop.ts'

// Tests the lesson page of lesson 3: the component in its frame, next to the wire.

test('lesson 3 fails, breaks and passes; the component runs, and reconnects after the server has been killed', async ({
  lesson,
  page,
}) => {
  const { url, copy } = await lesson(3, 'stubs')
  await page.goto(url)
  const frame = page.frameLocator('iframe')
  const status = frame.getByRole('status')
  await expect(page.getByText('This is the starting point.')).toBeVisible()
  await expect(frame.getByText('lesson 3, task 3.1: write useQuakes()')).toBeVisible()

  // The component that learners are given works as soon as the hook does.
  copy.write(HOOK, solution(copy, 'useQuakes.ts'))
  await expect(frame.getByRole('listitem').first()).toHaveText(/^M -?\d/)
  copy.write(COMPONENT, 'export function LiveQuakes( {')
  await expect(frame.locator('vite-error-overlay')).toBeVisible()
  copy.write(COMPONENT, solution(copy, 'LiveQuakes.tsx'))
  await expect(status).toHaveText('open')
  await expect(frame.locator('vite-error-overlay')).toHaveCount(0)
  await expect(page.getByText('Every check has passed.')).toBeVisible()
  await expect(page.getByRole('option', { name: /client.*← response/ }).last()).toBeVisible()
  await expectNoFinding(page, 'live')

  // The server is down for only three seconds, and the list shows only the latest entries, so look for all of these
  // texts at the same time.
  const kill = page.getByRole('button', { name: 'Kill the server' })
  await Promise.all([
    expect(status).toHaveText('connecting'),
    expect(kill).toBeDisabled(),
    expect(page.getByText('server.ts is down')).toBeVisible(),
    expect(page.getByRole('option', { name: /Server killed/ })).toBeVisible(),
    expect(page.getByRole('option', { name: /Server restarting/ })).toBeVisible(),
    kill.click(),
  ])
  await expect(status).toHaveText('open')

  // The component uses one of the six connections, and each of the seven streams needs another.
  await frame.getByRole('button', { name: 'Open 7 streams' }).click()
  await expect(frame.getByRole('button', { name: '5 open' })).toBeVisible()
  await expect(frame.getByRole('button', { name: /waits/ })).toHaveCount(2)
  await frame.getByRole('button', { name: '1 open' }).click()
  await expect(frame.getByRole('button', { name: '6 open' })).toBeVisible()
  await expect(frame.getByRole('button', { name: /waits/ })).toHaveCount(1)
})

test.describe('with a component that is not graded', () => {
  test.use({ isGraded: false })

  test('with seven streams open, a save reaches the component', async ({ lesson, page }) => {
    const { url, copy } = await lesson(3, 'solutions')
    await page.goto(url)
    const frame = page.frameLocator('iframe')
    const open = frame.getByRole('button', { name: 'Open 7 streams' })
    await expect(frame.getByRole('status')).toHaveText('open')
    await open.click()
    await expect(frame.getByRole('button', { name: '5 open' })).toBeVisible()
    const text = solution(copy, 'LiveQuakes.tsx')
    copy.write(COMPONENT, text.replace('<section>', '<section aria-label="saved">'))
    await expect(frame.getByRole('region', { name: 'saved' })).toBeVisible()
    await expect(open).toBeVisible()
    await expect(frame.getByRole('button', { name: /open$|waits/ })).toHaveCount(0)
  })
})

test.describe('with nothing to grade', () => {
  test.use({ isGraded: false })

  test('switching to lesson 3 on the page shows its component', async ({ lesson, page }) => {
    const { url } = await lesson(2, 'solutions')
    await page.goto(url)
    await expect(page.getByText('server.ts is running')).toBeVisible()
    await expect(page.locator('iframe')).toHaveCount(0)
    await page.getByRole('button', { name: /^Next lesson: 3/ }).click()
    await expect(page.frameLocator('iframe').getByText('open', { exact: true })).toBeVisible()
    await page.getByRole('button', { name: /^Previous lesson: 2/ }).click()
    await expect(page.getByText(/Lesson 2 of \d/)).toBeVisible()
    await expect(page.locator('iframe')).toHaveCount(0)
  })

  test('the exhibit does not reconnect, and its page does not say so', async ({
    copy,
    workshop,
    page,
  }) => {
    const exhibit = '03-react/exhibit'
    // Skip if a learner has deleted the exhibit, but not in CI.
    if (!process.env.CI && !existsSync(join(lessonsFolder, exhibit))) test.skip()
    for (const name of ['server.ts', 'SSEExample.jsx']) {
      copy.write(
        `lessons/${exhibit}/${name}`,
        readFileSync(join(lessonsFolder, exhibit, name), 'utf8'),
      )
    }
    const { url } = await workshop('lesson', '3', 'exhibit')
    await page.goto(url)
    const frame = page.frameLocator('iframe')
    const log = frame.getByLabel('Events of each EventSource')
    await expect(frame.getByText(/"value": 0\.\d+/)).toBeVisible()
    await expect(page.getByText(/still running: \d+ intervals? · 1 client/)).toBeVisible()
    await page.getByRole('button', { name: 'Kill the server' }).click()
    await expect(log).toContainText(/error, readyState is CONNECTING\n.*#2 close\(\)/)
    // When the program has ended, nothing is still running.
    await expect(page.getByText(/still running: [1-9]/)).toHaveCount(0)
    const value = await frame.locator('main pre').textContent()
    await expect(page.getByText('server.ts is running')).toBeVisible()
    // The server is available again for every client.
    await page.getByRole('button', { name: 'Connect a client' }).click()
    await expect(page.getByRole('option', { name: /client.*← response/ }).last()).toBeVisible()
    await expect(log).not.toContainText(/#3|open[^]*open/)
    expect(await frame.locator('main pre').textContent()).toBe(value)
  })
})

const HOOK = 'lessons/03-react/useQuakes.ts'
const COMPONENT = 'lessons/03-react/LiveQuakes.tsx'

function solution(copy: Copy, name: string): string {
  return readFileSync(copy.path('solutions/03-react', name), 'utf8')
}
