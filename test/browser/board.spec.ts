import { checksOf } from '../../workshop/lessons/checks.ts'
import { slidesServer, type SlidesServer } from '../../workshop/slides/server.ts'
import { reportIn } from '../../workshop/session/room-report.ts'
import { findings } from './axe.ts'
import { expect, test } from './workshop.ts'

const MINUTE = 60_000
const NAMES =
  'Ada Alan Anita Barbara Bjarne Claude Donald Dorothy Edsger Evelyn Frances Grace Guido Hedy Ivan Jean John Karen Katherine Ken Leslie Linus Lynn Margaret Niklaus Radia Shafi Sophie Tim'.split(
    ' ',
  )
const MESSAGE =
  'While the client did not read, the feed released 4,812 quakes. Expected the feed to pause when the client’s buffers are full.'

let slides: SlidesServer
test.beforeEach(async () => {
  slides = await slidesServer({ ports: [0], code: 'KMXTRA' })
})
test.afterEach(() => slides.close())

test('the board shows thirty learners on one screen, and a hostile name is only text', async ({
  page,
}) => {
  await page.goto(`${slides.url}/board.html`)
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(
    'Nobody shows their progress yet',
  )

  for (const [n, name] of NAMES.entries()) {
    if (n < 6) report(n, name, { task: '1.3', passed: 4, forMs: 7 * MINUTE, ...stop('1.3') })
    else if (n < 14) report(n, name, { task: '1.2', passed: 2, ...(n < 9 && stop('1.2')) })
    else if (n < 16) report(n, name, { task: '1.3', passed: 4 })
    else if (n < 25) report(n, name, { task: '1.4', passed: 7, forMs: n * 10_000 })
    else report(n, name, { passed: 20 })
  }
  report(29, '<img src=x onerror=alert(1)>', { task: '1.6', passed: 12 })

  await expect(page.getByRole('heading', { level: 1 })).toHaveText(
    '22 of 30 past 1.2, 6 stuck at 1.3 for more than five minutes',
  )
  await expect(page.getByRole('heading', { level: 2 })).toContainText(
    `${stop('1.3').check} stops 6 learners`,
  )
  await expect(page.getByText(MESSAGE)).toBeVisible()
  const learners = page.getByRole('list', { name: 'Learners' }).getByRole('listitem')
  await expect(learners).toHaveCount(30)
  await expect(learners.filter({ hasText: 'stuck for 7 minutes' })).toHaveCount(6)
  await expect(page.locator('img')).toHaveCount(0)
  for (const size of [
    { width: 1280, height: 800 },
    { width: 1920, height: 1080 },
  ]) {
    await page.setViewportSize(size)
    await expect(learners.last()).toBeInViewport({ ratio: 1 })
  }
  expect(await findings(page, 'main')).toEqual([])
})

test('R opens the board from the deck', async ({ page }) => {
  await page.goto(slides.url)
  await expect(page.locator('.reveal.ready')).toBeVisible()
  const opened = page.waitForEvent('popup')
  await page.keyboard.press('r')
  const board = await opened
  await expect(board.getByRole('heading', { level: 1 })).toHaveText(
    'Nobody shows their progress yet',
  )
})

test('a learner sees on the lesson page what is shown to whom, and ends it there', async ({
  workshop,
  page,
  context,
}) => {
  const board = await context.newPage()
  await board.goto(`${slides.url}/board.html`)
  const address = `127.0.0.1:${slides.followersPort}`
  const { url } = await workshop('lesson', '1', 'with', address, 'KMXTRA', 'as', 'Ada')
  await page.goto(url)
  const shared = page.getByRole('complementary', { name: 'Shared progress' })
  await expect(shared).toContainText(`board at ${address} as “Ada”: the lesson and task`)
  await expect(shared.getByRole('status')).toHaveText(
    `The board at ${address} shows your progress.`,
  )
  await expect(board.getByRole('listitem')).toContainText(['Ada'])
  expect(await findings(page, '.sharing')).toEqual([])

  await shared.getByRole('button', { name: 'End sharing' }).click()
  await expect(shared).toHaveText('Your progress is no longer shown. You have ended it.')
  await expect(board.getByRole('listitem')).toHaveCount(0)
})

/** Reports a learner's progress, from a machine of their own. */
function report(n: number, name: string, fields: object): void {
  const id = n.toString(16).padStart(32, '0')
  const said = reportIn({ id, n: 1, name, lesson: 1, forMs: 0, ...fields })
  slides.room.accept(said!, `machine ${n}`)
}

/** Returns the first core check of a task, and a message. */
function stop(task: string): { check: string; message: string } {
  const check = checksOf(1).find(({ id, isEdgeCase }) => id.startsWith(task) && !isEdgeCase)!
  return { check: check.id, message: MESSAGE }
}
