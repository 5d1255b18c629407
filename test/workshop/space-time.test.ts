import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { SpaceTime, SpaceTimeEvent } from '../../protocol/space-time.ts'
import type { CheckResult } from '../../protocol/verdict.ts'
import { reportIn } from '../../workshop/grader/report-in.ts'
import {
  formatMessages,
  messageOf,
  messagesFile,
  readMessages,
} from '../../workshop/mistakes/messages.ts'
import { parsePicture } from '../../workshop/mistakes/stored-picture.ts'
import { painter } from '../../workshop/terminal/colour.ts'
import { renderFailure } from '../../workshop/verdict/render.ts'
import { shownPicture } from '../../workshop/verdict/space-time.ts'
import { newTranscript } from '../harness/transcript.ts'

const request: SpaceTimeEvent = { at: 'client', to: 'server', label: 'GET /events' }
const head: SpaceTimeEvent = { at: 'server', to: 'client', label: 'head 200' }
const nothing: SpaceTimeEvent = { at: 'client', label: '… nothing for 2 s' }
const yours = pictureOf(
  request,
  { at: 'server', to: 'history', label: 'after()', held: true, isCall: true },
  head,
  { at: 'history', label: 'q1 happened' },
  { at: 'server', to: 'history', label: 'subscribe()', isCall: true },
  nothing,
)
const reference = pictureOf(
  request,
  { at: 'server', to: 'history', label: 'subscribe()', isCall: true },
  head,
  { at: 'history', to: 'server', label: 'q1 happened, onEntry()' },
  { at: 'server', to: 'client', label: 'event "q1"' },
)

describe('in the terminal', () => {
  test('lanes show who spoke to whom, and the reference from the first difference on', () => {
    expect(inTerminal({ picture: yours, referencePicture: reference })).toMatchInlineSnapshot(`
      [
        "    history   server   client",
        "       │         │←───────│    GET /events",
        "    yours",
        "       │    ‖────│        │    after() (held)",
        "       │         │───────→│    head 200",
        "       ●         │        │    q1 happened",
        "       │←────────│        │    subscribe()",
        "       │         │        ●    … nothing for 2 s",
        "    reference",
        "       │←────────│        │    subscribe()",
        "       │         │───────→│    head 200",
        "       │────────→│        │    q1 happened, onEntry()",
        "       │         │───────→│    event "q1"",
      ]
    `)
  })

  test('an arrow crosses lanes, and a lost message ends on its way', () => {
    const parties = ['client', 'proxy', 'process A', 'process B', 'Redis']
    const events: SpaceTimeEvent[] = [
      { at: 'process A', to: 'Redis', label: 'XREAD BLOCK' },
      { at: 'Redis', to: 'process A', label: '1-0', lost: true },
      { at: 'process A', label: 'is killed' },
      { label: 'the proxy tries the next process' },
    ]
    expect(
      inTerminal({ picture: { parties, events: [...events, { at: 'client', label: 'waits' }] } }),
    ).toMatchInlineSnapshot(`
      [
        "    client   process A   Redis",
        "       │         │────────→│    XREAD BLOCK",
        "       │         │    ✗────│    1-0 (lost)",
        "       │         ●         │    is killed",
        "       │         │         │    the proxy tries the next process",
        "       ●         │         │    waits",
      ]
    `)
  })

  test('no line is wider than the terminal or than 100 columns', () => {
    const long = { at: 'history', label: 'x'.repeat(300) }
    const picture = pictureOf(request, long, nothing)
    for (const width of [80, 100, 200]) {
      const lines = inTerminal({ picture }, width)
      expect(Math.max(...lines.map((line) => line.length))).toBe(Math.min(width, 100))
    }
  })

  test('the steps are shown instead if the terminal is too narrow for lanes', () => {
    expect(inTerminal({ picture: yours }, 50).join('\n')).toContain(' 1  a step')
  })
})

test('of a long picture, only the events before its end are shown', () => {
  const many = Array.from({ length: 50 }, (_, n) => ({
    at: 'history',
    to: 'server',
    label: `q${n}`,
  }))
  const { before } = shownPicture({ picture: pictureOf(request, ...many, nothing) })!
  expect(before.map(({ label }) => label)).toEqual([
    '… 40 before',
    ...many.slice(39).map(({ label }) => label),
    nothing.label,
  ])
})

test('there is no picture of fewer than three parties, or if only the steps differ', () => {
  expect(shownPicture({ picture: pictureOf(request, head) })).toBeUndefined()
  const referencePicture = { ...yours, events: [...yours.events, head] }
  expect(shownPicture({ picture: yours, referencePicture })).toBeUndefined()
})

test('other calls than those of the solution do not count as a difference, except right before one', () => {
  const call: SpaceTimeEvent = { at: 'server', to: 'history', label: 'poll()', isCall: true }
  const same = Array.from({ length: 5 }, (_, n) => ({ at: 'history', label: `q${n} happened` }))
  const shown = shownPicture({
    picture: pictureOf(request, call, ...same, nothing),
    referencePicture: pictureOf(request, ...same, head),
  })!
  expect(shown.yours.map(({ label }) => label)).toEqual([same[3], same[4], nothing].map(labelOf))
  expect(shown.reference.map(({ label }) => label)).toEqual([same[3], same[4], head].map(labelOf))
})

describe('a transcript', () => {
  test('draws each of its steps, in lanes that the harness names first', () => {
    const { parties, step, draw, picture } = newTranscript()
    step('client: GET /events', request)
    expect(picture()).toBeUndefined()
    parties('history', 'server')
    draw({ at: 'server', to: 'history', label: 'after()' })
    draw({ at: 'server', to: 'history', label: 'after()' })
    step('the shutdown begins')
    step('the history has been read', 'already')
    expect(picture()).toEqual({
      parties: ['history', 'server', 'client'],
      events: [
        request,
        { at: 'server', to: 'history', label: 'after()' },
        { label: 'the shutdown begins' },
      ],
    })
  })

  test('gives up drawing when code calls something in a busy loop', () => {
    const { parties, draw, picture } = newTranscript()
    parties('history')
    for (let n = 0; n < 20_000; n += 1) draw({ at: 'history', label: String(n) })
    expect(picture()).toBeUndefined()
  })
})

describe('the picture in a report', () => {
  test('consists of single legible lines of limited length', () => {
    const label = `\u001b[2J\u202e\n${'x'.repeat(1e6)}`
    const picture = pictureIn({ parties: ['a\u001bb', 'c'], events: [{ at: 'a\u001bb', label }] })!
    expect(picture.parties).toEqual(['a␛b', 'c'])
    expect(picture.events[0]!.at).toBe('a␛b')
    expect(picture.events[0]!.label).toMatch(/^␛\[2J‹U\+202E› x+…x+$/)
    expect(picture.events[0]!.label).toHaveLength(200)
  })

  test('has no message from a party to itself', () => {
    const events = [{ at: 'a', to: 'a', label: 'x' }]
    expect(pictureIn({ parties: ['a'], events })!.events).toEqual([{ at: 'a', label: 'x' }])
  })

  test.for([
    'text',
    { parties: ['a'] },
    { parties: ['a'], events: [{ at: 'b', label: '' }] },
    { parties: ['a'], events: [null, { to: {}, label: '' }] },
    { parties: [...'abcdefghij'], events: [{ at: 'j', label: '' }] },
  ])('is dropped if it is not a picture: %j', (picture) => {
    expect(pictureIn(picture)).toBeUndefined()
  })

  function pictureIn(picture: unknown): SpaceTime | undefined {
    return reportIn({ steps: [], picture })?.picture
  }
})

test('a stored message contains the picture without the solution’s', () => {
  const message = messageOf(failed({ picture: yours, referencePicture: reference }))
  const text = formatMessages(new Map([['late', message]]))
  expect(text).toBe(`## late
seen: It failed.
expected: Expected it to pass.
  a step
| history, server, client
| client → server: GET /events
| server → history (held): after()
| server → client: head 200
| history: q1 happened
| server → history: subscribe()
| client: … nothing for 2 s
`)
  expect(parsePicture(text.split('\n').filter((line) => line.startsWith('|')))).toEqual(
    message.picture,
  )
})

test('stored messages with pictures survive a round trip', () => {
  for (const [lesson, task] of [
    [5, '5.3'],
    [8, '8.4'],
  ] as const) {
    const messages = readMessages({ lesson, task })
    expect([...messages.values()].some(({ picture }) => picture)).toBe(true)
    expect(formatMessages(messages)).toBe(readFileSync(messagesFile({ lesson, task }), 'utf8'))
  }
})

function pictureOf(...events: SpaceTimeEvent[]): SpaceTime {
  return { parties: ['history', 'server', 'client'], events }
}

function labelOf(event: SpaceTimeEvent | undefined): string {
  return event!.label
}

function failed(pictures: Pick<CheckResult, 'picture' | 'referencePicture'>): CheckResult {
  const story = { seen: 'It failed.', expected: 'Expected it to pass.' }
  return { id: '5.3a', rule: 'it holds', state: 'failed', story, steps: ['a step'], ...pictures }
}

/** Returns the lines of a failed check between its story and the line with the hint. */
function inTerminal(
  pictures: Pick<CheckResult, 'picture' | 'referencePicture'>,
  width = 100,
): string[] {
  const options = { paint: painter(false), width, workName: 'lessons' }
  const verdict = {
    lesson: 5,
    outcome: 'fail' as const,
    checks: [],
    typeErrors: [],
    seed: 1,
    printed: '',
  }
  return renderFailure(failed(pictures), verdict, options).split('\n').slice(5, -2)
}
