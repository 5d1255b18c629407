import { connect } from 'node:net'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { copyOfWorkshop, type Copy } from './copy.ts'
import { endPrograms, run } from './program.ts'

let copy: Copy
beforeAll(() => {
  copy = copyOfWorkshop()
})
afterEach(endPrograms)
afterAll(() => copy.remove())

test('npm run slides prints the address of the deck, and Ctrl-C leaves nothing behind', async () => {
  const program = run(copy, ['slides'])
  const [, port] = await program.seen(/http:\/\/127\.0\.0\.1:(33\d\d)\/ {2}the deck/)
  await program.seen(/http:\/\/127\.0\.0\.1:33\d\d\/ {2}for followers on this machine/)
  expect(program.output).not.toMatch(/\bcode\b/)
  program.kill('SIGINT')
  expect(await program.ended).toBe(130)
  const late = connect(Number(port), '127.0.0.1')
  expect(await once(late, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }])
})

test('npm run slides share prints the address for others and the code', async () => {
  const program = run(copy, ['slides', 'share'])
  await program.seen(/the deck, for you/)
  await program.seen(/asks for the code [A-Z]{6}\n|this machine has no network/i)
})

test.each([
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
