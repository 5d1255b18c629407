import { expectNoFinding } from './axe.ts'
import { expect, test } from './workshop.ts'

// Tests the lesson page of lesson 9: the processes of the server, and their Redis.

test.use({ isGraded: false })

test('processes are killed and restarted, and Redis goes away and comes back', async ({
  lesson,
  page,
}) => {
  const { url } = await lesson(9, 'solutions')
  await page.goto(url)
  const processes = page.getByRole('region', { name: 'Processes' })
  await expect(processes.getByText(/^The (real|embedded) Redis is running\.$/)).toBeVisible()
  const [first] = await processes.getByRole('listitem').all()
  await expect(processes.getByText('running · 1 client')).toBeVisible()

  await page.getByRole('button', { name: 'Connect a client' }).click()
  await expect(page.getByText(/^reading · process [123] · \d+ quakes?$/)).toBeVisible()

  await expect(first!.getByText(/^running/)).toBeVisible()
  await processes.getByRole('button', { name: 'Kill process 1' }).click()
  await expect(first!.getByText('down · 0 clients')).toBeVisible()
  await expect(first!.getByText(/^running/)).toBeVisible()

  await processes.getByRole('button', { name: 'Take Redis away' }).click()
  await expect(processes.getByText(/ Redis is away: no process can reach it\.$/)).toBeVisible()
  await expectNoFinding(page, 'Redis is away')
  await page.emulateMedia({ colorScheme: 'dark' })
  await expectNoFinding(page, 'Redis is away in the dark')
  await processes.getByRole('button', { name: 'Bring Redis back' }).click()

  await processes.getByRole('button', { name: 'Restart one after the other' }).click()
  await expect(processes.getByText(/^stopping …/)).toBeVisible()
  await expect(processes.getByRole('button', { name: 'Restart one after the other' })).toBeEnabled()
  await expect(page.getByText(/ 0 missed · 0 duplicates$/)).toBeVisible()
})

test('other lessons show no processes', async ({ lesson, page }) => {
  const { url } = await lesson(5, 'solutions')
  await page.goto(url)
  await expect(page.getByText('server.ts is running')).toBeVisible()
  await expect(page.getByRole('region', { name: 'Processes' })).toHaveCount(0)
})
