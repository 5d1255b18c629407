import { readFileSync } from 'node:fs'
import { expectNoFinding } from './axe.ts'
import { expect, test } from './workshop.ts'

// Tests the lesson page of lesson 10: the chat in its frame, and the meter of generated tokens.

test.use({ isGraded: false })

const FOLDER = 'lessons/10-answers-over-post'

test('the page says what is not written yet, and then runs the chat of the learner', async ({
  lesson,
  page,
}) => {
  const { url, copy } = await lesson(10, 'stubs')
  await page.goto(url)
  const frame = page.frameLocator('iframe')
  await expect(page.getByText('server.ts is not written yet')).toBeVisible()
  await expect(frame.getByText('lesson 10, task 10.7: write useAnswer()')).toBeVisible()
  await expect(page.getByText('0 tokens generated · $0.00')).toBeVisible()
  await page.getByRole('button', { name: 'Ask a question' }).click()
  await expect(page.getByText(/The server answered 503\..*lesson 10, task 10\.1/)).toBeVisible()

  for (const name of ['server.ts', 'client.ts', 'useAnswer.ts', 'AnswerText.tsx']) {
    const solution = copy.path(`solutions/10-answers-over-post/${name}`)
    copy.write(`${FOLDER}/${name}`, readFileSync(solution, 'utf8'))
  }
  await expect(frame.getByRole('button', { name: 'Ask' })).toBeVisible()
  await expect(page.getByText('server.ts is running')).toBeVisible()
})

test('tokens appear one by one, and after Stop the meter stands still', async ({
  lesson,
  page,
}) => {
  const { url, copy } = await lesson(10, 'solutions')
  copy.write(`${FOLDER}/answer.ts`, ANSWER)
  await page.goto(url)
  const frame = page.frameLocator('iframe')
  const meter = page.getByRole('region', { name: 'Meter' })
  await frame.getByLabel('Your question').fill('Tell me everything.')
  await frame.getByRole('button', { name: 'Ask' }).click()
  await expect(frame.getByText(/^ 0 1 2 3/)).toBeVisible()
  await expect(meter.getByRole('status')).toHaveText('Generating 1 answer')
  await expect(meter.getByText(/^[1-9]\d* tokens? generated/)).toBeVisible()
  await expectNoFinding(page, 'an answer')

  await frame.getByRole('button', { name: 'Stop' }).click()
  await expect(page.getByRole('option', { name: /#2 .*client → request/ })).toBeVisible()
  await expect(frame.getByRole('status')).toHaveText('You stopped the answer.')
  await expect(meter.getByRole('status')).toHaveText('No answer is being generated.')
  const [, stopped] = /(\d+) tokens? generated/.exec((await meter.textContent())!)!

  // By the time the next answer is complete, the first one would have had more tokens.
  await page.getByRole('button', { name: 'Ask a question' }).click()
  await expect(page.getByText('The response ended after the event named "done".')).toBeVisible()
  await expect(meter.getByText(`${Number(stopped) + 5} tokens generated`)).toBeVisible()
})

test('other lessons show no meter', async ({ lesson, page }) => {
  const { url } = await lesson(5, 'solutions')
  await page.goto(url)
  await expect(page.getByText('server.ts is running')).toBeVisible()
  await expect(page.getByRole('region', { name: 'Meter' })).toHaveCount(0)
})

/** An answer that goes on until it is stopped, and five tokens for every other question. */
const ANSWER = `
export const answer = async function* (question, signal) {
  for (let n = 0; question === 'Tell me everything.' || n < 5; n += 1) {
    // The pace of a model. Every test waits for the page, however long that takes.
    await new Promise((done) => setTimeout(done, 50))
    if (signal.aborted) return
    yield ' ' + n
  }
}
`
