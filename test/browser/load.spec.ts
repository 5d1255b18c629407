import { expectNoFinding } from './axe.ts'
import { expect, test } from './workshop.ts'

// Tests the lesson page of lesson 8: the load of the server, and slow readers.

test.use({ isGraded: false })

test('the load of the server is shown in words and in charts; slow readers fall behind and can be removed', async ({
  lesson,
  page,
}) => {
  const { url } = await lesson(8, 'solutions')
  await page.goto(url)
  const load = page.getByRole('region', { name: 'Load' })
  await expect(load.getByText('No slow reader is connected.')).toBeVisible()
  await expect(load.getByRole('button', { name: 'Remove slow readers' })).toBeDisabled()
  const memory = load.getByRole('figure', { name: 'Memory of the server' })
  await expect(memory.getByText(/^heap \d+ MB$/)).toBeVisible()
  await expect(memory.getByText(/^external \d+ MB$/)).toBeVisible()
  await expect(memory.getByText(/^RSS \d+ MB$/)).toBeVisible()
  await expect(memory.locator('canvas')).toBeVisible()

  await load.getByRole('button', { name: 'Add 100 slow readers' }).click()
  await expect(load.getByText('100 slow readers connected')).toBeVisible()
  const lag = load.getByRole('figure', { name: 'Lag in events' })
  await expect(lag.getByText(/^slowest client \d*[1-9]\d*$/)).toBeVisible()
  await expect(lag.getByText('fastest client 0')).toBeVisible()
  await expectNoFinding(page, 'slow readers')
  await page.emulateMedia({ colorScheme: 'dark' })
  await expectNoFinding(page, 'slow readers in the dark')

  await load.getByRole('button', { name: 'Remove slow readers' }).click()
  await expect(load.getByText('No slow reader is connected.')).toBeVisible()
  await expect(lag.getByText('slowest client 0')).toBeVisible()
})

test('other lessons show no load', async ({ lesson, page }) => {
  const { url } = await lesson(5, 'solutions')
  await page.goto(url)
  await expect(page.getByText('server.ts is running')).toBeVisible()
  await expect(page.getByRole('region', { name: 'Load' })).toHaveCount(0)
})
