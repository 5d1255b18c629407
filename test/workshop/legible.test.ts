import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { legible, visible } from '../../wire/visible.ts'
import { peopleIn } from '../../workshop/class/people.ts'
import { notGraded } from '../../workshop/class/grade.ts'
import { grade } from '../../workshop/grader/grade.ts'
import { reportIn } from '../../workshop/grader/report-in.ts'
import { solutionsFolder } from '../../workshop/lessons/catalogue.ts'
import { parseArgs } from '../../workshop/lessons/args.ts'
import { startLearnerServer } from '../../workshop/runtime/learner-server.ts'
import { painter } from '../../workshop/terminal/colour.ts'
import { wireLines } from '../../workshop/terminal/wire-lines.ts'
import { renderVerdict } from '../../workshop/verdict/render.ts'

// Tests that no text of somebody's program moves the cursor, hides itself or changes its direction.

const EVIL = 'a\u001b[2J\u001b]0;title\u0007b\rc\u009bd\u202ee\u2066f\u0000'
const SHOWN = 'a␛[2J␛]0;title␇b␍c‹U+009B›d‹U+202E›e‹U+2066›f␀'
// oxlint-disable-next-line no-control-regex
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\p{Bidi_Control}]/u

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'legible-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.for([
  [EVIL, SHOWN],
  ['two\r\nlines\n\tand a tab', 'two\nlines\n\tand a tab'],
  ['\u001b[31mred\u001b[39m', 'red'],
  ['naïve 🌍 עברית ␊', 'naïve 🌍 עברית ␊'],
])('%j is legible as %j', ([text, shown]) => {
  expect(legible(text!)).toBe(shown)
})

test('bytes on the wire that change the direction of text are visible', () => {
  expect(visible(Buffer.from('a\u202eb\u200f'))).toBe('a‹U+202E›b‹U+200F›')
})

test('a Last-Event-ID cannot change the terminal', () => {
  const bytes = Buffer.from('GET / HTTP/1.1\r\nLast-Event-ID: \u202e\u001b[2J\r\n\r\n')
  const lines = wireLines()
  lines.opened(1)
  const line = lines.arrived(1, { at: 0, hop: 'client', direction: 'request', bytes })
  for (const detail of ['short', 'whole'] as const) {
    expect(line({ width: 200, detail, paint: painter(false) })).not.toMatch(HIDDEN)
  }
})

test.for([undefined, null, 'text', { steps: 'text' }, { story: { seen: '', expected: '' } }])(
  '%j is not the report of a check',
  (value) => {
    expect(reportIn(value)).toBeUndefined()
  },
)

test('a report consists of legible texts, whatever a check sent', () => {
  const sent = {
    steps: [EVIL, 5, null],
    note: {},
    story: { seen: EVIL, expected: ['x'], often: EVIL },
    notWritten: 1,
  }
  const none = '(not a text)'
  expect(reportIn(sent)).toEqual({
    steps: [SHOWN, none, none],
    note: none,
    story: { seen: SHOWN, expected: none, often: SHOWN },
    notWritten: none,
  })
  const long = reportIn({
    steps: ['x'.repeat(1e6)],
    story: { seen: 'x'.repeat(1e6), expected: '' },
  })!
  expect(JSON.stringify(long).length).toBeLessThan(300_000)
})

test('a verdict shows the errors, the output and the type errors of the work as legible text', async () => {
  const work = join(folder, 'work')
  mkdirSync(join(work, '01-raw-chunks'), { recursive: true })
  for (const name of ['server.ts', 'client.ts']) {
    const text = readFileSync(join(solutionsFolder, '01-raw-chunks', name), 'utf8')
    const evil = JSON.stringify(EVIL)
    const first = `console.log(${evil})\nconst wrong: ${evil} = 5\n`
    const throws = `$&\n  throw new Error(${evil} + wrong)`
    writeFileSync(
      join(work, '01-raw-chunks', name),
      first +
        (name === 'server.ts' ? text.replace(/export function createApp.*\{$/m, throws) : text),
    )
  }
  const verdict = await grade({ lesson: 1, work, name: 'work', only: '1.1a', skipReference: true })
  const text = renderVerdict(verdict, { paint: painter(false), width: 300, workName: 'work' })
  expect(text).not.toMatch(HIDDEN)
  expect(text).toContain(`Your code threw Error: ${SHOWN}5`)
  expect(text).toMatch(/Your code printed:\n {2}a␛\[2J/)
  expect(text).toMatch(/server\.ts:2:7 /)
  expect(JSON.stringify(verdict)).not.toMatch(HIDDEN)
})

test('a running server speaks in legible text', async () => {
  const evil = JSON.stringify(EVIL)
  writeFileSync(
    join(folder, 'server.ts'),
    `console.log(${evil})
    export function createApp() { throw new Error(${evil}) }`,
  )
  const printed: string[] = []
  const detail = await runUntilDown((line) => printed.push(line))
  expect(detail).toContain(`Error: ${SHOWN}`)
  expect(printed.join('\n')).not.toMatch(HIDDEN)
})

test('a line without an end is shown in parts', async () => {
  writeFileSync(
    join(folder, 'server.ts'),
    `process.stdout.write('x'.repeat(3e6), () => process.exit(1))
    export function createApp() {}`,
  )
  const lengths: number[] = []
  await runUntilDown((line) => lengths.push(line.length))
  expect(lengths.length).toBeGreaterThan(1)
  expect(Math.max(...lengths)).toBeLessThan(200_000)
})

/** Runs server.ts in our folder, until it has crashed or exited. Returns the details. */
function runUntilDown(printed: (line: string) => void): Promise<string> {
  return new Promise((resolve) => {
    const server = startLearnerServer({
      name: 'server.ts',
      folder: async () => folder,
      countLeaks: false,
      events: {
        running() {},
        down(_what, detail) {
          server.stop()
          resolve(detail)
        },
        notWritten() {},
        printed,
        leaks() {},
        feed() {},
      },
    })
  })
}

test('the name of a folder, and the reason why somebody was not graded, are legible', async () => {
  const name = 'an\u202en\u001b[2J'
  mkdirSync(join(folder, name, '01-raw-chunks'), { recursive: true })
  const [person] = await peopleIn([join(folder, name)])
  expect(person!.name).toBe('an‹U+202E›n␛[2J')
  expect(parseArgs(['lesson1', join(folder, name)])).toMatchObject({
    work: { name: join(folder, 'an‹U+202E›n␛[2J') },
  })
  expect(notGraded(1, EVIL).problem).toBe(SHOWN)
})
