import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { seedAskedFor } from '../../workshop/lessons/seed.ts'
import { machineProblem } from '../../workshop/machine-problem.ts'
import { ROOT } from '../../workshop/root.ts'
import { copyOfWorkshop, type Copy } from './copy.ts'
import { endPrograms, run } from './program.ts'

// A fault of the machine or of the user gets one sentence and exit code 2, and no request to report a bug.

test.for([
  ['ENOSPC', 'the disk is full'],
  ['EROFS', 'the disk is read-only'],
  ['EACCES', 'you do not have the permission'],
] as const)('%s is described: %s', ([code, why]) => {
  const error = Object.assign(new Error(code), { code, path: join(ROOT, '.workshop/x') })
  expect(machineProblem(error)).toBe(`.workshop/x cannot be written, because ${why}.`)
})

test('a fault of the workshop is not the fault of the machine', () => {
  expect(machineProblem(new TypeError('x is undefined'))).toBeUndefined()
  expect(machineProblem('a text')).toBeUndefined()
})

test.for(['abc', '-1', '1.5', '1e3', ' ', '12345678901', '0x10'])('SEED=%s is refused', (SEED) => {
  expect(seedAskedFor({ SEED })).toEqual({
    problem: `SEED must be a whole number with at most 9 digits, got "${SEED}".`,
  })
})

test('SEED may be absent, empty or a whole number', () => {
  expect([{}, { SEED: '' }, { SEED: '0' }, { SEED: '42' }].map(seedAskedFor)).toEqual([
    undefined,
    undefined,
    0,
    42,
  ])
})

describe('a command', () => {
  let copy: Copy
  beforeEach(() => {
    copy = copyOfWorkshop()
  })
  afterEach(() => {
    endPrograms()
    copy.remove()
  })

  test.for([
    ['test', 'lesson1'],
    ['grade', 'lessons'],
  ])('npm run %s refuses an odd SEED', async (args) => {
    const program = run(copy, args, { SEED: 'abc' })
    expect(await program.ended).toBe(2)
    expect(program.output).toBe('SEED must be a whole number with at most 9 digits, got "abc".\n')
  })

  test.for([
    '{"1":5}',
    '{"1":{"gradedAt":"yesterday","outcome":"fail","checks":{}}}',
    '{"1":{"gradedAt":"2026-01-01T00:00:00Z","outcome":"fail","checks":"all"}}',
    '[1]',
    'no JSON',
    '',
  ])('the list of lessons survives the progress %s', async (text) => {
    copy.write('.workshop/progress.json', text)
    const program = run(copy, ['lesson'])
    expect(await program.ended).toBe(0)
    expect(program.output).toContain('not started')
    expect(program.output).toContain('Your progress in .workshop/progress.json is damaged')
  })

  test('a folder that cannot be written is named', async () => {
    writeFileSync(copy.path('.workshop'), '')
    const program = run(copy, ['test', 'lesson1'])
    expect(await program.ended).toBe(2)
    expect(program.output).toMatch(
      /^\.workshop\S* cannot be written, because a file is in the place of a folder\.\n$/,
    )
  })

  test('an incomplete package is named, with the command that installs it', async () => {
    rmSync(copy.path('node_modules'), { recursive: true })
    mkdirSync(copy.path('node_modules'))
    const { dependencies, devDependencies } = (await import(join(ROOT, 'package.json'))).default
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      copy.write(`node_modules/${name}/package.json`, JSON.stringify({ name, version }))
    }
    const program = run(copy, ['lesson'])
    expect(await program.ended).toBe(2)
    expect(program.output).toMatch(
      /^A package of the workshop is missing or incomplete\. To install the packages again: npm ci\n/,
    )
  })
})
