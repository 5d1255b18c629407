import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type * as Catalogue from '../../workshop/lessons/catalogue.ts'
import type * as Progress from '../../workshop/lessons/progress.ts'
import { readReadme } from '../../workshop/lessons/readme.ts'
import type * as Table from '../../workshop/lessons/table.ts'
import type * as Words from '../../workshop/lessons/args.ts'
import type { Verdict } from '../../protocol/verdict.ts'
import { copyOfWorkshop, type Copy } from './copy.ts'

let copy: Copy
beforeEach(() => {
  copy = copyOfWorkshop()
  // npm sets this to the folder in which the command was typed.
  vi.stubEnv('INIT_CWD', copy.folder)
})
afterEach(() => {
  vi.unstubAllEnvs()
  copy.remove()
})

describe('arguments', () => {
  const parse = async (...words: string[]): Promise<ReturnType<typeof Words.parseArgs>> => {
    const { parseArgs } = await copy.load<typeof Words>('workshop/lessons/args.ts')
    return parseArgs(words)
  }

  test.each([[['1']], [['01']], [['lesson1']], [['Lesson1']], [['lesson', '1']], [['lesson01']]])(
    '%j names lesson 1, the work is the learner’s',
    async (words) => {
      const work = { folder: copy.path('lessons'), name: 'lessons' }
      expect(await parse(...words)).toEqual({ lesson: 1, work })
    },
  )

  test('tasks and checks can be written in the same forms', async () => {
    expect(await parse('1.2')).toMatchObject({ lesson: 1, only: '1.2' })
    expect(await parse('lesson1.2a')).toMatchObject({ lesson: 1, only: '1.2a' })
    expect(await parse('lesson', '1.2A')).toMatchObject({ lesson: 1, only: '1.2a' })
  })

  test('lesson1 is not lesson10, and an unknown lesson is refused with a list', async () => {
    expect(await parse('lesson1')).toMatchObject({ lesson: 1 })
    expect(await parse('lesson10')).toMatchObject({ lesson: 10 })
    expect(await parse('10.1a')).toMatchObject({ lesson: 10, only: '10.1a' })
    expect(await parse('lesson100')).toEqual({
      problem: expect.stringMatching(
        /^There is no lesson 100\. The lessons are 1 A lesson, 2 A lesson(, \d+ A lesson)*\.$/,
      ),
    })
  })

  test('an unknown check or task is refused with a list', async () => {
    expect(await parse('1.2z')).toEqual({
      problem: expect.stringMatching(
        /^There is no check 1\.2z\. The checks of task 1\.2 are 1\.2a, 1\.2b/,
      ),
    })
    expect(await parse('1.99')).toEqual({
      problem: expect.stringMatching(
        /^There is no task 1\.99\. The tasks of lesson 1 are 1\.1, 1\.2/,
      ),
    })
    expect(await parse('1.9z')).toEqual({
      problem: expect.stringMatching(
        /^There is no task 1\.9\. The tasks of lesson 1 are 1\.1, 1\.2/,
      ),
    })
  })

  test('two lessons are refused, unless the second is a folder', async () => {
    for (const words of [
      ['lesson1.2', 'lesson2'],
      ['1', '2', '3'],
      ['lesson', '1', '2'],
    ]) {
      expect(await parse(...words)).toEqual({
        problem: `Name only one lesson, task or check, got "${words.join(' ')}".`,
      })
    }
    copy.write('2/01-raw-chunks/server.ts', '')
    expect(await parse('1', '2')).toMatchObject({ work: { folder: copy.path('2') } })
  })

  test('the last argument may be a folder laid out like lessons/', async () => {
    expect(await parse('1', 'solutions')).toEqual({
      lesson: 1,
      work: { folder: copy.path('solutions'), name: 'solutions' },
    })
    copy.write("Zoë's work/01-raw-chunks/server.ts", '')
    const handedIn = { folder: copy.path("Zoë's work"), name: "Zoë's work" }
    expect(await parse('1', copy.path("Zoë's work"))).toEqual({ lesson: 1, work: handedIn })
    expect(await parse('1', "Zoë's work/01-raw-chunks")).toEqual({ lesson: 1, work: handedIn })
  })

  test('for a whole clone, its lessons/ is used', async () => {
    copy.write('clone/lessons/01-raw-chunks/server.ts', '')
    expect(await parse('1', 'clone')).toMatchObject({
      work: { folder: copy.path('clone/lessons') },
    })
  })

  test('a folder without the lesson, or without any lesson, is refused', async () => {
    copy.write('other/01-raw-chunks/server.ts', '')
    expect(await parse('2', 'other')).toEqual({
      problem: 'The folder other does not contain 02-server-sent-events, the folder of lesson 2.',
    })
    expect(await parse('2', 'data')).toEqual({
      problem: 'The folder data does not contain a lesson, such as 01-raw-chunks.',
    })
  })

  test('an unknown argument is named in the message', async () => {
    expect(await parse('1', 'solutionz')).toEqual({
      problem: expect.stringContaining('There is no folder "solutionz".'),
    })
  })
})

describe('the catalogue', () => {
  const lessons = async (): Promise<Catalogue.Lesson[]> => {
    const catalogue = await copy.load<typeof Catalogue>('workshop/lessons/catalogue.ts')
    return catalogue.lessons()
  }

  test('reads each lesson from its README', async () => {
    const [first] = await lessons()
    expect(first).toMatchObject({
      number: 1,
      folder: '01-raw-chunks',
      title: 'A lesson',
      minutes: 30,
    })
    expect(first!.tasks.map(({ id }) => id)).toEqual(['1.1', '1.2'])
    expect(first!.problem).toBeUndefined()
  })

  test.each([
    ['the README is gone', () => rmSync(copy.path('lessons/01-raw-chunks/README.md'))],
    ['the lesson is gone', () => rmSync(copy.path('lessons/01-raw-chunks'), { recursive: true })],
    ['lessons/ is gone', () => rmSync(copy.path('lessons'), { recursive: true })],
    ['the README is empty', () => copy.write('lessons/01-raw-chunks/README.md', '')],
    [
      'the README is a folder',
      () => {
        rmSync(copy.path('lessons/01-raw-chunks/README.md'))
        mkdirSync(copy.path('lessons/01-raw-chunks/README.md'))
      },
    ],
  ])('still has the lesson if %s, and says how to restore the text', async (_case, breakIt) => {
    breakIt()
    const [first] = await lessons()
    expect(first).toMatchObject({ number: 1, title: 'Raw chunks', tasks: [] })
    expect(first!.problem).toContain('git checkout -- lessons/01-raw-chunks/README.md')
  })
})

test('hints keep their Markdown and code blocks, with any line endings', () => {
  const text = [
    '# Lesson 3: React',
    '45 minutes · you edit `a.ts`',
    '```sh',
    '# Lesson 4: a comment',
    '### 3.9 not a task',
    '```',
    '### 3.1 One',
    '<details>',
    '<summary>Hint 1</summary>',
    '',
    '```html',
    '</details>',
    '```',
    '',
    '</details>',
    '<details>',
    '<summary>Edge cases (2 checks)</summary>',
    '',
    '- not a hint',
    '',
    '</details>',
    '## Tail',
  ].join('\r\n')
  expect(readReadme(text)).toEqual({
    title: 'React',
    minutes: 45,
    tasks: [{ id: '3.1', title: 'One', hints: ['```html\n</details>\n```'] }],
  })
})

describe('progress', () => {
  const load = (): Promise<typeof Progress> => copy.load('workshop/lessons/progress.ts')
  const verdict = (checks: Verdict['checks'], outcome: Verdict['outcome'] = 'fail'): Verdict => ({
    lesson: 1,
    outcome,
    checks,
    typeErrors: [],
    seed: 1,
    printed: '',
  })
  const result = (
    id: string,
    state: Verdict['checks'][number]['state'],
  ): Verdict['checks'][number] => ({
    id,
    rule: '',
    state,
    steps: [],
  })

  test('keeps the last result of each check', async () => {
    const { progressOf, recordVerdict } = await load()
    expect(progressOf(1)).toMatchObject({ passed: [] })
    expect(progressOf(1).gradedAt).toBeUndefined()
    recordVerdict(verdict([result('1.1a', 'passed'), result('1.1b', 'failed')]))
    recordVerdict(verdict([result('1.1b', 'passed')]))
    expect(progressOf(1).passed).toEqual(['1.1a', '1.1b'])
    recordVerdict(verdict([result('1.1a', 'failed')]))
    expect(progressOf(1).passed).toEqual(['1.1b'])
  })

  test('a check that could not be graded does not pass, but does not block the lesson', async () => {
    const { progressOf, recordVerdict } = await load()
    const { lessonTable } = await copy.load<typeof Table>('workshop/lessons/table.ts')
    const { checks } = progressOf(1)
    const [first, ...others] = checks.map((id) => result(id, 'passed'))
    recordVerdict(verdict([{ ...first!, state: 'not run', lacks: 'nginx' }, ...others], 'pass'))
    expect(progressOf(1).notGraded).toEqual([checks[0]])
    expect(progressOf(1).passed).toEqual(checks.slice(1))
    expect(lessonTable((_hue, text) => text)).toMatch(/✓ passed · .*, 1 not graded, /)
    recordVerdict(verdict([result(checks[0]!, 'failed')]))
    expect(progressOf(1).notGraded).toEqual([])
  })

  test('finds the first open task', async () => {
    const { firstOpenTask } = await load()
    const { lessons } = await copy.load<typeof Catalogue>('workshop/lessons/catalogue.ts')
    const [first] = lessons()
    expect(firstOpenTask(first!, [])?.id).toBe('1.1')
    expect(firstOpenTask(first!, ['1.1a', '1.1b'])?.id).toBe('1.2')
  })

  test('starts over if its file is broken, and never leaves a half-written file', async () => {
    const { progressOf, recordVerdict } = await load()
    copy.write('.workshop/progress.json', '{"1": {"che')
    expect(progressOf(1).passed).toEqual([])
    recordVerdict(verdict([result('1.1a', 'passed')]))
    expect(progressOf(1).passed).toEqual(['1.1a'])
    expect(existsSync(copy.path(`.workshop/progress.json.${process.pid}`))).toBe(false)
  })
})
