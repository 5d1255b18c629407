import { cpSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { ROOT } from '../../workshop/root.ts'
import { copyOfWorkshop, type Copy } from './copy.ts'
import { endPrograms, run } from './program.ts'

let copy: Copy
beforeAll(() => {
  copy = copyOfWorkshop()
  cpSync(join(ROOT, 'slides'), copy.path('slides'), { recursive: true })
})
afterEach(endPrograms)
afterAll(() => copy.remove())

test('npm run slides prints the address of the deck, and Ctrl-C leaves nothing behind', async () => {
  const program = run(copy, ['slides'])
  const [, port] = await program.seen(/http:\/\/127\.0\.0\.1:(33\d\d)\/ {2}the deck/)
  await program.seen(/http:\/\/127\.0\.0\.1:33\d\d\/ {2}for followers on this machine/)
  expect(program.output).not.toMatch(/the code|board/)
  program.kill('SIGINT')
  expect(await program.ended).toBe(130)
  const late = connect(Number(port), '127.0.0.1')
  expect(await once(late, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }])
})

test('npm run slides share prints the address for others and the code', async () => {
  const program = run(copy, ['slides', 'share'])
  await program.seen(/the deck, for you/)
  await program.seen(/\/board\.html {2}the board, for you/)
  await program.seen(/asks for the code [A-Z]{6}\n|this machine has no network/i)
})

test('npm run slides agenda prints the times of the day, in the order of the deck', async () => {
  const program = run(copy, ['slides', 'agenda', 'half', '9:00'])
  await program.seen(/the deck, for you/)
  await program.seen(/npm run slides share agenda half\n/)
  await program.seen(/Half a day\n +9:00 {2}Welcome\n +9:\d\d {2}Lesson 1: /)
  program.kill('SIGINT')
  expect(await program.ended).toBe(130)
})

test('without a time, an agenda begins now, rounded to five minutes', async () => {
  const program = run(copy, ['slides', 'share', 'agenda', 'two-days'])
  await program.seen(/Two days\n {2}day 1 +\d+:\d[05] {2}Welcome\n/)
})

test.each([
  [['slides', 'agenda'], 'Name an agenda: half, full, two-days'],
  [['slides', 'agenda', 'week'], 'Name an agenda: half, full, two-days'],
  [['slides', 'agenda', 'half', '9'], '"9" is not a time. Write it like this: '],
  [['slides', 'shared'], 'Unknown arguments "shared". Use one of: npm run slides, '],
  [['slides', 'share', 'now'], 'Unknown arguments "share now". '],
])('npm run %j has exit code 2', async (words, says) => {
  const program = run(copy, words)
  expect(await program.ended).toBe(2)
  expect(program.output).toContain(says)
})

test('without a browser, the handout says what to do', async () => {
  const program = run(copy, ['slides', 'pdf'], { BROWSER_PATH: copy.path('no-browser') })
  expect(await program.ended).toBe(1)
  expect(program.output).toMatch(
    /browser is needed to print the handout \(missing: .*no-browser does not exist\)/,
  )
  expect(program.output).toContain('?print-pdf')
})
