import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { unpack } from '../../workshop/class/unpack.ts'
import { filesIn } from './files-in.ts'
import { copyOfWorkshop, type Copy } from './copy.ts'
import { endPrograms, run } from './program.ts'

const L1 = '01-raw-chunks'

let copy: Copy
let folder: string
beforeAll(() => {
  copy = copyOfWorkshop()
  copy.write(`lessons/${L1}/tsconfig.json`, '{}')
  copy.write(`lessons/${L1}/exhibit/server.ts`, '')
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hand-in '))
})
afterEach(() => {
  endPrograms()
  rmSync(folder, { recursive: true, force: true })
})
afterAll(() => copy.remove())

async function handIn(...words: string[]): Promise<{ code: number | null; output: string }> {
  const program = run(copy, ['hand-in', ...words])
  const code = await program.ended
  return { code, output: program.output }
}

test('npm run hand-in says that there is nothing to hand in as long as nothing is begun', async () => {
  expect(await handIn('ada')).toEqual({
    code: 2,
    output:
      'There is nothing to hand in, because every file in lessons/ is still as you received it.\n',
  })
})

test.each([
  [[], /^What is your name\? For example: npm run hand-in ada\n$/],
  [['../ada'], /^Your name becomes the name of a file, so "\.\.\/ada" cannot be used\./],
  [['.ada'], /cannot be used/],
  [['ada.'], /cannot be used/],
  [['Con.x'], /cannot be used/],
  [['a'.repeat(61)], /cannot be used/],
])('npm run hand-in %j is refused', async (words, message) => {
  const { code, output } = await handIn(...words)
  expect(code).toBe(2)
  expect(output).toMatch(message)
})

test('npm run hand-in packs the sources of begun lessons, and nothing else', async () => {
  rmSync(copy.path('lessons/02-server-sent-events'), { recursive: true })
  copy.write(`lessons/${L1}/server.ts`, 'mine\n')
  copy.write(`lessons/${L1}/lib/lines.ts`, 'also mine\n')
  copy.write(`lessons/${L1}/.env`, 'SECRET=1\n')
  copy.write(`lessons/${L1}/notes.txt`, 'private\n')
  symlinkSync(copy.path('data'), copy.path(`lessons/${L1}/data`), 'junction')
  const { code, output } = await handIn('Zoë', "O'Neil")
  expect(code).toBe(0)
  const file = copy.path("Zoë O'Neil.zip")
  expect(output).toContain(`lessons/${L1}: client.ts, lib/lines.ts, server.ts\n`)
  expect(output).toContain('  Left out: data is a link\n')
  expect(output).toMatch(
    /Your work on lesson 1 is packed\. .*\n\n {2}.*Zoë O'Neil\.zip \(1\.\d kB\)\n$/,
  )
  expect(output).toContain(file)

  const { leftOut } = await unpack(file, folder)
  expect(leftOut).toEqual([])
  expect(filesIn(folder)).toEqual([
    `Zoë O'Neil/${L1}/client.ts`,
    `Zoë O'Neil/${L1}/lib/lines.ts`,
    `Zoë O'Neil/${L1}/server.ts`,
  ])
  expect(readFileSync(join(folder, "Zoë O'Neil", L1, 'server.ts'), 'utf8')).toBe('mine\n')
})

test('npm run hand-in keeps a file that exists', async () => {
  copy.write(`lessons/${L1}/server.ts`, 'mine\n')
  writeFileSync(copy.path('ada.zip'), 'earlier')
  const { code, output } = await handIn('ada')
  expect(code).toBe(2)
  expect(output).toMatch(/ada\.zip exists already\. .*npm run hand-in "ada 2"/)
  expect(readFileSync(copy.path('ada.zip'), 'utf8')).toBe('earlier')
})
