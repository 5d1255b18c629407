import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { progressOf } from '../../workshop/lessons/progress.ts'
import { copyOfWorkshop, type Copy } from './copy.ts'
import { endPrograms, run } from './program.ts'

let copy: Copy
beforeAll(() => {
  copy = copyOfWorkshop({ harness: true })
})
afterEach(endPrograms)
afterAll(() => copy.remove())

test('a lesson is graded at the start and at each save, and the progress is kept', async () => {
  const program = run(copy, ['lesson', '1'], { PORT: '0' })
  await program.seen(/not yet · lesson 1: \d+\/\d+ core/)

  for (const name of ['server.ts', 'client.ts']) {
    const solution = readFileSync(copy.path('solutions/01-raw-chunks', name), 'utf8')
    copy.write(`lessons/01-raw-chunks/${name}`, solution)
  }
  await program.seen(/passed · lesson 1: (\d+)\/\1 core/)
  program.kill('SIGINT')
  expect(await program.ended).toBe(130)

  const progress = await copy.load<{ progressOf: typeof progressOf }>(
    'workshop/lessons/progress.ts',
  )
  const { passed, checks, outcome } = progress.progressOf(1)
  expect(outcome).toBe('pass')
  expect(passed).toEqual(checks)
})
