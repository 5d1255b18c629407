import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ROOT } from '../../workshop/root.ts'
import { copyOfWorkshop, type Copy } from './copy.ts'
import { endPrograms, run } from './program.ts'

let copy: Copy
beforeEach(() => {
  copy = copyOfWorkshop()
  vi.stubEnv('INIT_CWD', copy.folder)
  vi.stubEnv('NO_COLOR', '1')
  vi.stubEnv('FORCE_COLOR', undefined)
})
afterEach(() => {
  endPrograms()
  vi.unstubAllEnvs()
  copy.remove()
})

const MINE = 'lessons/01-raw-chunks/server.ts'

/** Calls one of the copy's commands in this process, because starting a process for each would take most of the time. */
async function said(
  command: 'hint' | 'lesson' | 'reset' | 'solution',
  ...args: string[]
): Promise<{ code: number; text: string }> {
  const commands = await copy.load<Record<string, (args: string[]) => Promise<number>>>(
    `workshop/commands/${command}.ts`,
  )
  const printed: unknown[] = []
  const spies = [vi.spyOn(console, 'log'), vi.spyOn(console, 'error')]
  for (const spy of spies) spy.mockImplementation((text) => void printed.push(text))
  const code = await commands[command]!(args)
  for (const spy of spies) spy.mockRestore()
  return { code, text: `${printed.join('\n')}\n` }
}

test('an unknown command is refused with a list of the commands', async () => {
  const program = run(copy, ['lessen'])
  expect(await program.ended).toBe(2)
  expect(program.output).toMatch(
    /^There is no command "lessen"\. Available commands: npm run lesson, /,
  )
})

test('the list of lessons shows the progress and the next command', async () => {
  const { code, text } = await said('lesson')
  expect(code).toBe(0)
  expect(text).toMatch(/ 1 {2}A lesson +30 min {2}not started\n/)
  expect(text).toContain('Next: npm run lesson 1')
})

test('an unknown lesson is refused with a list of the lessons', async () => {
  const { code, text } = await said('lesson', '99')
  expect(code).toBe(2)
  expect(text).toMatch(
    /^There is no lesson 99\. The lessons are 1 A lesson, 2 A lesson(, \d+ A lesson)*\.\n$/,
  )
})

describe('hint', () => {
  test('prints one hint after another, says how many are left, and then starts over', async () => {
    const first = await said('hint', '1.1')
    expect(first.text).toContain('1.1 The first task · hint 1 of 2')
    expect(first.text).toContain('  Think of the head, and of HTTP (https://example.org).')
    expect(first.text).toContain('1 more: npm run hint 1.1')
    const second = await said('hint', 'lesson1.1')
    expect(second.text).toContain('hint 2 of 2')
    expect(second.text).toContain('      res.flushHeaders()')
    expect(second.text).toContain('That was the last hint.')
    const third = await said('hint', '1.1')
    expect(third.text).toContain('You have seen all hints')
    expect(third.text).toContain('hint 1 of 2')
  })

  test('prints a hint for the first task that has not passed, if a lesson is named', async () => {
    expect((await said('hint', '1')).text).toContain('1.1 The first task · hint 1')
  })

  test('says how to restore a README that is missing', async () => {
    rmSync(copy.path('lessons/01-raw-chunks/README.md'))
    const { code, text } = await said('hint', '1.1')
    expect(code).toBe(2)
    expect(text).toContain('git checkout -- lessons/01-raw-chunks/README.md')
  })
})

describe('solution', () => {
  test('shows which lines are whose', async () => {
    const { code, text } = await said('solution', '1')
    expect(code).toBe(0)
    expect(text).toContain('Lines marked - are yours. Lines marked + are from the solution.')
    expect(text).toContain("-  throw new Error('lesson 1, task 1.1: write createApp()')")
    expect(text).toContain('+  const app = express()')
    expect(text).not.toContain('#region')
  })

  test('says so if a file is the same or missing', async () => {
    const solution = readFileSync(copy.path('solutions/01-raw-chunks/server.ts'), 'utf8')
    copy.write(MINE, solution.replace(/^.*#(end)?region.*\n/gm, '').replaceAll('\n', '\r\n'))
    rmSync(copy.path('lessons/01-raw-chunks/client.ts'))
    const { text } = await said('solution', '1')
    expect(text).toContain('The files are identical.')
    expect(text).toContain('This file is missing in lessons/01-raw-chunks.')
  })

  test('explains the lines of the solution, and shows only those of a task if one is named', async () => {
    cpSync(join(ROOT, 'test/mistakes/lesson1'), copy.path('test/mistakes/lesson1'), {
      recursive: true,
    })
    const without = /^.*#(end)?region.*\n|^.*res\.destroyed.*\n/gm
    const solution = readFileSync(copy.path('solutions/01-raw-chunks/server.ts'), 'utf8')
    copy.write(MINE, solution.replace(without, ''))
    const { text } = await said('solution', '1.3')
    expect(text).toMatch(/\+ {4}if \(res\.destroyed\) [^]+\n {2}Why the solution .*\n {2}- 1\.3/)
    expect(text).toContain('No difference matters to 1.3.')
    expect(text.split('\n').filter((line) => /^ {2}- /.test(line) && line.length > 80)).toEqual([])
  })
})

describe('reset', () => {
  test('saves the work, writes the stubs, and prints a command that restores the work', async () => {
    const stub = readFileSync(copy.path(MINE), 'utf8')
    copy.write(MINE, 'my work')
    copy.write('lessons/01-raw-chunks/notes.txt', 'my notes')
    rmSync(copy.path('lessons/01-raw-chunks/client.ts'))

    const { code, text } = await said('reset', '1')
    expect(code).toBe(0)
    expect(readFileSync(copy.path(MINE), 'utf8')).toBe(stub)
    expect(existsSync(copy.path('lessons/01-raw-chunks/client.ts'))).toBe(true)
    expect(text).toContain('Files of your own were kept: notes.txt.')

    const [, script] = /node -e "(.*)"/.exec(text)!
    spawnSync(process.execPath, ['-e', script!], { cwd: copy.folder })
    expect(readFileSync(copy.path(MINE), 'utf8')).toBe('my work')
  })

  test('does nothing if there is nothing to reset', async () => {
    const { code, text } = await said('reset', '1')
    expect(code).toBe(0)
    expect(text).toContain('Nothing to reset')
    expect(existsSync(copy.path('.workshop/saved'))).toBe(false)
  })

  test('works if the folder is missing, or if a folder has replaced a file', async () => {
    rmSync(copy.path('lessons/01-raw-chunks'), { recursive: true })
    expect((await said('reset', '1')).code).toBe(0)
    expect(readdirSync(copy.path('lessons/01-raw-chunks'))).toEqual(['client.ts', 'server.ts'])

    rmSync(copy.path(MINE))
    mkdirSync(copy.path(MINE))
    expect((await said('reset', '1')).code).toBe(0)
    expect(readFileSync(copy.path(MINE), 'utf8')).toContain('write createApp()')
  })

  test.skipIf(process.platform === 'win32')('does not write through a symbolic link', async () => {
    copy.write('elsewhere.ts', 'not yours')
    rmSync(copy.path(MINE))
    symlinkSync(copy.path('elsewhere.ts'), copy.path(MINE))
    await said('reset', '1')
    expect(readFileSync(copy.path('elsewhere.ts'), 'utf8')).toBe('not yours')
  })

  test('refuses anything but a whole lesson of your own', async () => {
    expect((await said('reset')).text).toBe('Which lesson? For example: npm run reset 1\n')
    expect((await said('reset', '1.1')).code).toBe(2)
    expect((await said('reset', '1', 'solutions')).code).toBe(2)
  })
})
