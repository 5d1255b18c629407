import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checksOf } from '../../workshop/lessons/checks.ts'
import { lessonNumbered, lessons } from '../../workshop/lessons/catalogue.ts'
import { mistakesOf } from '../../workshop/mistakes/mistakes.ts'
import { ROOT } from '../../workshop/root.ts'

// The agendas must be right, because an instructor has no time to correct them during a class.

const guide = readFileSync(join(ROOT, 'docs/instructor.md'), 'utf8')

type Row = { begins: number; minutes: number; what: string }
type Agenda = { title: string; total: number; rows: Row[] }

describe.each(agendas())('$title', ({ total, rows }) => {
  test('each row begins where the previous row ends, and the minutes add up', () => {
    let now = 0
    for (const { begins, minutes, what } of rows) {
      expect({ what, begins }).toEqual({ what, begins: now })
      now += minutes
    }
    expect(now).toBe(total)
  })

  test.each(rows)('$what: $minutes minutes', ({ what, minutes }) => {
    const file = /^`(slides\/.+\.md)`$/.exec(what)?.[1]
    const lesson = /^tasks of lesson (\d+)$/.exec(what)?.[1]
    if (file) expect(minutes).toBe(minutesOf(file, (kind) => kind !== 'exercise'))
    else if (lesson) expect(minutes).toBe(lessonNumbered(Number(lesson))?.minutes)
    else expect(['break', 'questions']).toContain(what)
  })
})

test('there is an agenda for half a day and one for a full day', () => {
  expect(agendas().map(({ title }) => title)).toEqual(['Half a day', 'A full day'])
})

test.each(lessons().map(({ folder, minutes }) => ({ file: `slides/${folder}.md`, minutes })))(
  'the exercises in $file take the $minutes minutes that its README says',
  ({ file, minutes }) => {
    expect(minutesOf(file, (kind) => kind === 'exercise')).toBe(minutes)
  },
)

describe('everything that the guide names exists', () => {
  const all = (pattern: RegExp): string[] => [...guide.matchAll(pattern)].map(([, found]) => found!)

  test('commands', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    const named = all(/\bnpm run ([a-z]+(?:-[a-z]+)*)/g)
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([])
  })

  test('checks', () => {
    const known = lessons().flatMap(({ number }) => checksOf(number).map(({ id }) => id))
    const named = all(/`(\d+\.\d+[a-z])`/g)
    expect(named.length).toBeGreaterThan(0)
    expect(named.filter((id) => !known.includes(id))).toEqual([])
  })

  test('mistakes', () => {
    for (const [, name, lesson] of guide.matchAll(/mistake `([^`]+)` of lesson (\d+)/g)) {
      expect(mistakesOf(Number(lesson)).map((mistake) => mistake.name)).toContain(name)
    }
  })

  test('files, and headings in the guide itself', () => {
    const links = all(/\]\(([^)\s]+)\)/g).filter((link) => !link.startsWith('https://'))
    const headings = all(/^## (.+)$/gm).map((title) => title.toLowerCase().replaceAll(' ', '-'))
    for (const link of links) {
      const [file = '', place = ''] = link.split('#')
      if (file)
        expect({ link, isThere: existsSync(join(ROOT, 'docs', file)) }).toEqual({
          link,
          isThere: true,
        })
      else expect(headings).toContain(place)
    }
  })
})

/** Returns the sections that have a table with minutes. */
function agendas(): Agenda[] {
  return guide.split(/^## /m).flatMap((section) => {
    const rows = [...section.matchAll(/^\| (\d+):(\d\d) +\| (\d+) +\| (.+?) +\|$/gm)].map(
      ([, hours, minutes, takes, what]) => ({
        begins: Number(hours) * 60 + Number(minutes),
        minutes: Number(takes),
        what: what!,
      }),
    )
    if (rows.length === 0) return []
    const total = Number(/^(\d+) minutes\b/m.exec(section)?.[1])
    return [{ title: section.split('\n', 1)[0]!, total, rows }]
  })
}

/** Adds up the minutes in the slides' comments: `<!-- concept, 3 minutes -->`. */
function minutesOf(file: string, counts: (kind: string) => boolean): number {
  const text = readFileSync(join(ROOT, file), 'utf8')
  return [...text.matchAll(/^<!-- ([a-z]+), (\d+(?:\.\d+)?) minutes? -->$/gm)]
    .filter(([, kind]) => counts(kind!))
    .reduce((sum, [, , minutes]) => sum + Number(minutes), 0)
}
