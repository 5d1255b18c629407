import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { mistake } from '../../workshop/commands/mistake.ts'
import { solutionsFolder } from '../../workshop/lessons/catalogue.ts'
import { applyHunks, parseHunks } from '../../workshop/mistakes/edit.ts'
import {
  formatMessages,
  messageOf,
  readMessages,
  type Message,
} from '../../workshop/mistakes/messages.ts'
import { filesOf, layOut, mistakeCalled } from '../../workshop/mistakes/mistakes.ts'
import { parseTable } from '../../workshop/mistakes/table.ts'

const scratch = mkdtempSync(join(tmpdir(), 'mistakes-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
afterEach(() => vi.restoreAllMocks())

describe('a table', () => {
  const ROW = '## collects\n\nfails 1.2a: no line\nseen in somebody/something#1\n'
  const DIFF = '```diff server.ts\n-  one\n+  two\n```\n'

  test('lists each mistake with the check that fails, the words of its message, and the edits', () => {
    expect(parseTable(`# Task 1.2\n\n${ROW}\n${DIFF}`)).toEqual([
      {
        name: 'collects',
        fails: '1.2a',
        phrase: 'no line',
        seenIn: 'somebody/something#1',
        edits: new Map([['server.ts', parseHunks(['-  one', '+  two'])]]),
      },
    ])
  })

  test.each([
    ['no check', '## collects\n', 'collects does not say which check fails'],
    ['another word', `${ROW}failed 1.2a: it\n`, 'line 5: expected "fails CHECK: PHRASE"'],
    ['a diff before a name', DIFF, 'line 1: expected "```diff FILE" below a name'],
    ['no file', `${ROW}\`\`\`diff\n-  one\n\`\`\`\n`, 'got "```diff"'],
    ['a file twice', ROW + DIFF + DIFF, 'collects has two diffs for server.ts'],
    [
      'a diff without an end',
      `${ROW}\`\`\`diff server.ts\n-  one\n`,
      'the diff is not closed by "```"',
    ],
    ['a line without a mark', `${ROW}\`\`\`diff server.ts\none\n\`\`\`\n`, 'got "one"'],
    ['no place', `${ROW}\`\`\`diff server.ts\n+  two\n\`\`\`\n`, 'needs a "-" or context line'],
  ])('with %s is refused, and says where', (_what, text, says) => {
    expect(() => parseTable(text)).toThrow(says)
  })
})

describe('an edit', () => {
  const TEXT = 'function f() {\n  if (a) {\n    b()\n  }\n\n  c()\n}\n'

  test('replaces lines, however the hunk is indented', () => {
    expect(edited(['-        b()', '+        if (d) {', '+          b()', '+        }'])).toBe(
      'function f() {\n  if (a) {\n    if (d) {\n      b()\n    }\n  }\n\n  c()\n}\n',
    )
    expect(edited(['-c()', '+d()'])).toContain('\n  d()\n')
  })

  test('may have several hunks, in any order', () => {
    expect(edited([' c()', '+d()', '@@', '-    b()'])).toBe(
      'function f() {\n  if (a) {\n  }\n\n  c()\n  d()\n}\n',
    )
  })

  test('ignores comments and blank lines, which are removed or kept with the line below them', () => {
    const text = 'a()\n\n// b, for a reason\nb()\n// c, too\nc()\n'
    expect(applyHunks(text, parseHunks([' a()', '-b()', ' c()']))).toBe('a()\n// c, too\nc()\n')
    expect(applyHunks(text, parseHunks(['-b()', '+d()']))).toBe('a()\n\nd()\n// c, too\nc()\n')
    expect(applyHunks(text, parseHunks(['+d()', ' c()']))).toBe(
      'a()\n\n// b, for a reason\nb()\nd()\n// c, too\nc()\n',
    )
  })

  test('keeps the markers of a region', () => {
    const text = '// #region 1.1 f()\na()\n// #endregion\n'
    expect(applyHunks(text, parseHunks(['-a()', '+b()']))).toBe(text.replace('a()', 'b()'))
  })

  test.each([
    ['are not there', ['-gone()', '+d()'], 'does not contain these lines: "gone()"'],
    [
      'are indented otherwise',
      ['-  if (a) {', '-  b()'],
      'does not contain these lines: "if (a) { ⏎ b()"',
    ],
    ['are there twice', ['-}'], 'contains these lines 2 times: "}"'],
    ['overlap', ['-  b()', '@@', ' b()', '+d()'], 'two hunks overlap: "b()"'],
    ['stay the same', [' b()'], 'a hunk changes nothing: "b()"'],
  ])('whose lines %s is refused', (_what, lines, says) => {
    expect(() => edited(lines)).toThrow(says)
  })

  function edited(lines: string[]): string {
    return applyHunks(TEXT, parseHunks(lines))
  }
})

describe('a mistake', () => {
  test('is the solution with the edits of its row', () => {
    const found = mistakeCalled('lesson1/no-line-feed')
    const solution = readFileSync(join(solutionsFolder, '01-raw-chunks/server.ts'), 'utf8')
    expect([...filesOf(found)]).toEqual([
      ['server.ts', solution.replace('(quake)}\\n`', '(quake)}`')],
    ])
    layOut(found, join(scratch, 'laid-out'))
    const files = readdirSync(join(scratch, 'laid-out/01-raw-chunks'))
    expect(files).toEqual(readdirSync(join(solutionsFolder, '01-raw-chunks')))
  })

  test('may edit a variant or another mistake', () => {
    const ofVariant = mistakeCalled('lesson1/pipes-to-nobody')
    expect(ofVariant.base).toBe('pipeline')
    expect(filesOf(ofVariant).get('server.ts')).toContain('await pipeline(')
    const ofMistake = mistakeCalled('lesson3/no-cleanup')
    const made = filesOf(ofMistake).get('useQuakes.ts')!
    expect(made.length).toBeLessThan(
      filesOf(mistakeCalled(`lesson3/${ofMistake.base}`)).get('useQuakes.ts')!.length,
    )
  })

  test('that does not apply is named in the error, with the place', () => {
    const edits = new Map([['server.ts', parseHunks(['-gone()'])]])
    const collects = { ...mistakeCalled('lesson1/collects'), edits }
    expect(() => filesOf(collects)).toThrow(
      'lesson1/collects, server.ts: the text does not contain these lines: "gone()"',
    )
  })

  test('is written to a folder by a command, which never overwrites one', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue()
    const error = vi.spyOn(console, 'error').mockReturnValue()
    const into = join(scratch, 'out')
    expect(await mistake(['lesson1/collects', into])).toBe(0)
    expect(log.mock.lastCall![0]).toContain('the first check to fail is 1.2a')
    expect(existsSync(join(into, '01-raw-chunks/client.ts'))).toBe(true)
    expect(await mistake(['lesson1/collects', into])).toBe(2)
    expect(error.mock.lastCall![0]).toContain('01-raw-chunks already exists')
    expect(await mistake(['lesson1/gone'])).toBe(2)
    expect(error.mock.lastCall![0]).toContain('there is no mistake lesson1/gone')
  })
})

describe('stored messages', () => {
  test('survive a round trip', () => {
    for (const task of ['1.1', '1.2', '1.7']) {
      const messages = readMessages({ lesson: 1, task })
      const text = readFileSync(new URL(`../mistakes/lesson1/${task}.says.txt`, import.meta.url))
      expect(messages.size).toBeGreaterThan(1)
      expect(formatMessages(messages)).toBe(String(text))
    }
  })

  test('contain only the steps around the first difference from the solution', () => {
    const steps = Array.from({ length: 30 }, (_, n) => `step ${n}`)
    const reference = steps.with(12, 'another')
    expect(stepsOf(steps, reference)).toEqual(['… 9 before', ...steps.slice(9, 19), '… 11 more'])
    expect(stepsOf(steps.slice(0, 10), reference)).toEqual(steps.slice(0, 10))
    expect(stepsOf(['x'.repeat(101)])).toEqual([`${'x'.repeat(99)}…`])
  })

  function stepsOf(steps: string[], reference: string[] = []): Message['steps'] {
    return messageOf({ id: '1.1a', rule: 'it holds', state: 'failed', steps, reference }).steps
  }
})
