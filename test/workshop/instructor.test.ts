import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checksOf } from '../../workshop/lessons/checks.ts'
import { lessons } from '../../workshop/lessons/catalogue.ts'
import { mistakesOf } from '../../workshop/mistakes/mistakes.ts'
import { ROOT } from '../../workshop/root.ts'
import { agendaDeck } from '../../workshop/slides/agenda-deck.ts'
import { agendaNames } from '../../workshop/slides/agenda.ts'
import { cloneAddress } from '../../workshop/slides/clone-address.ts'
import { clock } from '../../workshop/slides/clock.ts'
import { readDeck, titleOf } from '../../workshop/slides/deck.ts'
import { areQuotesOfLessonsLost } from './quotes-of-lessons.ts'

// The guide must be right, because an instructor has no time to correct it during a class.

const guideFile = join(ROOT, 'docs/instructor.md')
const guide = readFileSync(guideFile, 'utf8')

test.skipIf(areQuotesOfLessonsLost())(
  'the tables of the agendas are those of the deck; -u writes them',
  async () => {
    const marked = [...guide.matchAll(AGENDA)].map(([, name]) => name)
    expect(marked).toEqual(agendaNames())
    const made = guide.replaceAll(
      AGENDA,
      (_found, name: string) => `<!-- agenda ${name} -->\n${tablesOf(name)}\n<!-- end -->`,
    )
    await expect(withCloneAddress(made)).toMatchFileSnapshot(guideFile)
  },
)

test('the README clones from the same address as the slides and the e-mail; -u writes it', async () => {
  const readme = join(ROOT, 'README.md')
  await expect(withCloneAddress(readFileSync(readme, 'utf8'))).toMatchFileSnapshot(readme)
  expect(guide).toContain(`git clone ${cloneAddress()} streaming\n`)
  const slides = readDeck().chapters[0]!.slides.filter(({ text }) => text.includes('git clone'))
  expect(slides.map(titleOf)).toEqual(['Tremor', 'Get it running'])
  for (const { text } of slides) expect(withCloneAddress(text)).toBe(text)
})

test.each(lessons().map(({ folder, minutes }) => ({ file: `slides/${folder}.md`, minutes })))(
  'the exercises in $file take the $minutes minutes that its README says',
  ({ file, minutes }) => {
    expect(exerciseMinutesIn(file)).toBe(minutes)
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

/** Returns the schedule of each day, and the slides to skip first. */
function tablesOf(name: string): string {
  const { rows, cuts, minutes } = agendaDeck({ name, startsAt: 0 })
  const days = [...new Set(rows.map(({ day }) => day))]
  const parts = days.flatMap((day) => [
    ...(days.length > 1 ? [`Day ${day}, ${minutes} minutes:`] : [`${minutes} minutes:`]),
    [
      '| begins | minutes | what | exercises | of which reading |',
      '|---|---|---|---|---|',
      ...rows
        .filter((row) => row.day === day)
        .map(({ from, to, what, tasks, reading }) =>
          `| ${clock(from)} | ${to - from} | ${what} | ${tasks || ''} | ${reading || ''} |`.replaceAll(
            '|  ',
            '| ',
          ),
        ),
    ].join('\n'),
  ])
  const skipped = [
    '| if you are late, skip slide | | minutes |',
    '|---|---|---|',
    ...cuts.map(({ number, title, minutes: saved }) => `| ${number} | ${title} | ${saved} |`),
  ]
  return ['', ...parts, skipped.join('\n'), ''].join('\n\n').replaceAll(/^\n|\n$/g, '')
}

/** Replaces the address in each `git clone`. */
function withCloneAddress(text: string): string {
  return text.replaceAll(/\bgit clone \S+/g, `git clone ${cloneAddress()}`)
}

/** Matches the tables of an agenda in the guide. */
const AGENDA = /<!-- agenda ([a-z-]+) -->\n[\s\S]*?<!-- end -->/g

/** Adds up the minutes in the comments of the exercises: `<!-- exercise, 18 minutes -->`. */
function exerciseMinutesIn(file: string): number {
  const text = readFileSync(join(ROOT, file), 'utf8')
  return [...text.matchAll(/^<!-- exercise, (\d+) minutes -->$/gm)].reduce(
    (sum, [, minutes]) => sum + Number(minutes),
    0,
  )
}
