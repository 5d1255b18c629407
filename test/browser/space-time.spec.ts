import { filesOf, mistakeCalled } from '../../workshop/mistakes/mistakes.ts'
import { ALL_LOOKS, expectNoFinding } from './axe.ts'
import { expect, test } from './workshop.ts'

test('a failure of several parties is drawn next to its steps, and a screen reader hears who speaks', async ({
  lesson,
  page,
}) => {
  const { url, copy } = await lesson(5, 'solutions')
  await page.goto(url)
  for (const [name, text] of filesOf(mistakeCalled('lesson5/reads-then-listens'))) {
    copy.write(`lessons/05-replay/${name}`, text)
  }
  await expect(page.getByRole('heading', { name: /^5\.3a failed/ })).toBeVisible()
  const events = page.locator('.space-time').getByRole('listitem')
  await expect(events.first()).toHaveText('history: q-999 to q-998 happened')
  await expect(events.filter({ hasText: 'after(undefined)' }).first()).toHaveText(
    'server to history: after(undefined) held',
  )
  await expect(page.locator('.transcripts')).toContainText('client: GET /events')
  await expectNoFinding(page, 'a picture', ALL_LOOKS)
})
