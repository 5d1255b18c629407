import { describe, expect, test } from 'vitest'
import { renderFailure, renderVerdict } from '../../workshop/verdict/render.ts'
import { checksOf } from '../../workshop/lessons/checks.ts'
import type { CheckResult, Verdict } from '../../protocol/verdict.ts'
import { painter } from '../../workshop/terminal/colour.ts'

const SEEN = 'client saw signs of life while the feed was silent'
const QUAKE = 'feed released quake 1: "M 4.5 · Vrancea, România", which is a long way from here'

test('the row with the first difference is shown in full, and the others are shortened', () => {
  const text = render([failed('1.2a', [QUAKE, '… nothing for 2 s'], [QUAKE, SEEN, QUAKE])])
  expect(text).toContain(
    [
      '    yours                                            reference',
      '     1  feed released quake 1: "M 4.5 · Vrancea, …    1  feed released quake 1: "M 4.5 · Vrancea, …',
      '     2  … nothing for 2 s                             2  client saw signs of life while the feed',
      '                                                         was silent',
      '                                                      3  feed released quake 1: "M 4.5 · Vrancea, …',
    ].join('\n'),
  )
})

test('in a narrow terminal the transcripts are below each other, with the same rules', () => {
  const text = render([failed('1.2a', [QUAKE, 'nothing'], [QUAKE, QUAKE])], 60)
  expect(text).toContain(
    [
      '    reference',
      '     1  feed released quake 1: "M 4.5 · Vrancea, România", …',
      '     2  feed released quake 1: "M 4.5 · Vrancea, România",',
      '        which is a long way from here',
    ].join('\n'),
  )
})

test('a word longer than a row is broken, and a step longer than six rows is shortened', () => {
  const wire = [...'abcdefghijkl'].map((letter) => letter.repeat(40)).join('')
  const rows = render([failed('1.2a', ['nothing'], [wire])]).split('\n')
  const first = rows.findIndex((line) => line.includes('aaa'))
  const shown = rows.slice(first, first + 6).map((line) => line.slice(53))
  expect(shown.map((line) => line.length)).toEqual([46, 46, 46, 46, 46, 46])
  expect(shown.at(-1)).toMatch(/…$/)
  expect(rows[first + 6]).toBe('')
})

test('the command for the next failure follows the failure that is shown', () => {
  const notWritten = { ...failed('1.3a'), notWritten: 'lesson 1, task 1.3: write createApp()' }
  const text = render([failed('1.2a'), notWritten, failed('1.4a'), failed('1.4b')])
  expect(text).toContain('2 more failed, the next of them: npm test -- lesson1.4a')
  expect(render([failed('1.2a'), notWritten, failed('1.4b')])).toContain(
    '1 more failed: npm test -- lesson1.4b',
  )
  expect(render([failed('1.2a'), notWritten])).not.toContain('more failed')
})

describe('the details of a failure', () => {
  const told: CheckResult = {
    id: '1.2a',
    rule: 'each quake reaches the client before the next one happens',
    state: 'failed',
    story: {
      seen: 'The feed released "M 4.5 · Vrancea, România" and no line reached the client, which had asked for it.',
      expected: 'Expected the client to read it while the feed was waiting.',
      often:
        'the handler collects the quakes and sends them at the end, when nobody waits for them.',
    },
    at: 'lessons/01-raw-chunks/server.ts:12:5',
    steps: ['client: GET /quakes.ndjson', QUAKE, '… nothing for 2 s'],
  }
  const reference = ['client: GET /quakes.ndjson', QUAKE, 'client read 228 bytes', QUAKE]

  test('next to the reference', () => {
    expect(inFull({ ...told, reference }, 100)).toMatchInlineSnapshot(`
      "✗ 1.2a  each quake reaches the client before the next one happens

        The feed released "M 4.5 · Vrancea, România" and no line reached the client, which had asked for
        it.
        Expected the client to read it while the feed was waiting.
        at lessons/01-raw-chunks/server.ts:12:5

          yours                                            reference
           1  client: GET /quakes.ndjson                    1  client: GET /quakes.ndjson
           2  feed released quake 1: "M 4.5 · Vrancea, …    2  feed released quake 1: "M 4.5 · Vrancea, …
           3  … nothing for 2 s                             3  client read 228 bytes
                                                            4  feed released quake 1: "M 4.5 · Vrancea, …

        A common cause: the handler collects the quakes and sends them at the end, when nobody waits for
        them.
        lessons/01-raw-chunks/README.md, task 1.2 · npm run hint 1.2 · replay: SEED=1 npm test -- lesson1.2a"
    `)
  })

  test('above the reference, if the terminal is too narrow', () => {
    expect(inFull({ ...told, reference }, 80)).toMatchInlineSnapshot(`
      "✗ 1.2a  each quake reaches the client before the next one happens

        The feed released "M 4.5 · Vrancea, România" and no line reached the client,
        which had asked for it.
        Expected the client to read it while the feed was waiting.
        at lessons/01-raw-chunks/server.ts:12:5

          yours
           1  client: GET /quakes.ndjson
           2  feed released quake 1: "M 4.5 · Vrancea, România", which is a long way …
           3  … nothing for 2 s

          reference
           1  client: GET /quakes.ndjson
           2  feed released quake 1: "M 4.5 · Vrancea, România", which is a long way …
           3  client read 228 bytes
           4  feed released quake 1: "M 4.5 · Vrancea, România", which is a long way …

        A common cause: the handler collects the quakes and sends them at the end,
        when nobody waits for them.
        lessons/01-raw-chunks/README.md, task 1.2 · npm run hint 1.2 · replay: SEED=1 npm test -- lesson1.2a"
    `)
  })

  test('without a reference', () => {
    expect(inFull(told, 80)).toMatchInlineSnapshot(`
      "✗ 1.2a  each quake reaches the client before the next one happens

        The feed released "M 4.5 · Vrancea, România" and no line reached the client,
        which had asked for it.
        Expected the client to read it while the feed was waiting.
        at lessons/01-raw-chunks/server.ts:12:5

           1  client: GET /quakes.ndjson
           2  feed released quake 1: "M 4.5 · Vrancea, România", which is a long way …
           3  … nothing for 2 s

        A common cause: the handler collects the quakes and sends them at the end,
        when nobody waits for them.
        lessons/01-raw-chunks/README.md, task 1.2 · npm run hint 1.2 · replay: SEED=1 npm test -- lesson1.2a"
    `)
  })

  test('with the cause, if it is known', () => {
    const story = { ...told.story!, cause: 'your handler has not opened the feed.' }
    expect(inFull({ ...told, story, steps: [] }, 100)).toMatchInlineSnapshot(`
      "✗ 1.2a  each quake reaches the client before the next one happens

        The feed released "M 4.5 · Vrancea, România" and no line reached the client, which had asked for
        it.
        Expected the client to read it while the feed was waiting.
        at lessons/01-raw-chunks/server.ts:12:5

        The cause: your handler has not opened the feed.
        lessons/01-raw-chunks/README.md, task 1.2 · npm run hint 1.2 · replay: SEED=1 npm test -- lesson1.2a"
    `)
  })
})

describe('a whole lesson', () => {
  const all = checksOf(1).map(({ id }): CheckResult => ({
    id,
    rule: 'it holds',
    isEdgeCase: /[g-z]$/.test(id),
    state: 'passed',
    steps: [],
  }))
  const lesson = (...changed: CheckResult[]): CheckResult[] =>
    all.map((check) => changed.find(({ id }) => id === check.id) ?? check)
  const edgeCase = (id: string): CheckResult => ({ ...failed(id), isEdgeCase: true })

  test('is a line for each task, with the core checks that failed below it', () => {
    const text = render(lesson(failed('1.2a'), edgeCase('1.7g')))
    expect(text).toMatch(/^✓ 1\.1 {2}(\d+)\/\1\n✗ 1\.2 {2}.*core.*\n {4}✗ 1\.2a {2}it holds\n/)
    expect(text).toMatch(/✓ 1\.7 {2}(\d+)\/\1 core · \d+\/\d+ edge cases\n/)
    expect(text).not.toContain('✗ 1.7g')
  })

  test('ends with the failing check and the score', () => {
    const text = render(lesson(failed('1.2a')))
    expect(text).toMatch(/✗ 1\.2a {2}it holds\n\n[\s\S]+\n\nnot yet · lesson 1: .* core · .*$/)
  })

  test('names tasks that wait for the same function together', () => {
    const unwritten = lesson(
      ...all.map((check) => ({
        ...failed(check.id),
        notWritten: `lesson 1, task 1.${check.id < '1.6' ? 1 : 6}: write createApp()`,
      })),
    )
    expect(render(unwritten)).toMatch(
      /^○ 1\.1 to 1\.5 {2}not written yet: createApp\(\)\n○ 1\.6 to 1\.7 {2}not/,
    )
  })

  test('that is passed mentions the remaining edge cases in one line', () => {
    const text = renderVerdict(
      { ...verdictOf(lesson(edgeCase('1.7g'), edgeCase('1.7h'))), outcome: 'pass' },
      { ...PLAIN, width: 80 },
    )
    expect(text).toContain(
      '2 edge cases are left: 1.7g and 1.7h. The first of them: npm test -- lesson1.7g',
    )
    expect(text).not.toContain('It was seen.')
    expect(text).toContain('npm run lesson 2')
  })

  test('after a save, lists only the changes', () => {
    const before = verdictOf(lesson(failed('1.1a'), failed('1.1b'), failed('1.3a')))
    const text = renderVerdict(verdictOf(lesson(failed('1.3a'), failed('1.4a'))), {
      ...PLAIN,
      width: 80,
      before,
    })
    expect(text).toMatch(/^✓ 1\.1a and 1\.1b pass now\n✗ 1\.4a fails now\n\n✗ 1\.3a/)
  })
})

function failed(id: string, steps: string[] = [], reference: string[] = []): CheckResult {
  const story = { seen: 'It was seen.', expected: 'Expected something else.' }
  return { id, rule: 'it holds', state: 'failed', story, steps, reference }
}

function render(checks: CheckResult[], width = 100): string {
  return renderVerdict(verdictOf(checks), { ...PLAIN, width })
}

function inFull(check: CheckResult, width: number): string {
  return renderFailure(check, verdictOf([check]), { ...PLAIN, width })
}

const PLAIN = { paint: painter(false), workName: 'lessons' }

function verdictOf(checks: CheckResult[]): Verdict {
  return { lesson: 1, outcome: 'fail', checks, typeErrors: [], seed: 1, printed: '' }
}
