import { describe, expect, test } from 'vitest'
import { lessons } from '../../workshop/lessons/catalogue.ts'
import { agendaNames, readAgenda } from '../../workshop/slides/agenda.ts'
import { agendaDeck, BUFFER, deckOf } from '../../workshop/slides/agenda-deck.ts'
import { tasksOf } from '../../workshop/slides/agenda-texts.ts'
import { clock, minutesOfDay, nearestFive } from '../../workshop/slides/clock.ts'
import { readDeck, titleOf, type Plan } from '../../workshop/slides/deck.ts'
import { deckView } from '../../workshop/slides/deck-view.ts'
import { pacing } from '../../workshop/slides/pacing.ts'
import { readingMinutes } from '../../workshop/slides/reading-time.ts'
import { areQuotesOfLessonsLost } from './quotes-of-lessons.ts'

// An instructor has no time to correct an agenda during a class, so each agenda is rehearsed here.

const NINE = 9 * 60

describe.skipIf(areQuotesOfLessonsLost()).each(agendaNames())('the agenda "%s"', (name) => {
  const deck = agendaDeck({ name, startsAt: NINE })
  const slides = deck.chapters.flatMap((chapter) => chapter.slides)
  const days = [...new Set(deck.rows.map(({ day }) => day))]

  test('names only slides that exist, and leaves 12 % of each day', () => {
    expect(deck.problems).toEqual([])
    for (const day of days) {
      const rows = deck.rows.filter((row) => row.day === day)
      const planned = rows.filter(({ what }) => what !== 'Questions')
      const taken = planned.reduce((sum, { from, to }) => sum + to - from, 0)
      expect(taken).toBeLessThanOrEqual(deck.minutes * (1 - BUFFER))
    }
  })

  test('each slide begins where the previous slide ends, and each day ends on time', () => {
    for (const day of days) {
      let now = 0
      for (const { plan, minutes } of slides.filter((slide) => slide.plan!.day === day)) {
        expect(plan).toEqual({ day, from: now, to: now + minutes })
        now += minutes
      }
      expect(now).toBe(deck.minutes)
    }
  })

  test('exercises take the time that their tasks need, including the time to read them', () => {
    const complete = readDeck().chapters.flatMap((chapter) => chapter.slides)
    let lesson: string | undefined
    for (const slide of slides.filter(({ kind }) => kind === 'exercise')) {
      const tasks = tasksOf(slide)
      expect(tasks, titleOf(slide)).not.toEqual([])
      const original = complete.find(
        (each) => each.kind === 'exercise' && tasksOf(each).includes(tasks[0]!),
      )!
      const reading = readingMinutes(tasks, { isFirst: tasks[0]!.split('.')[0] !== lesson })
      lesson = tasks[0]!.split('.')[0]
      const part = tasks.length / tasksOf(original).length
      expect(slide.minutes, titleOf(slide)).toBeGreaterThanOrEqual(
        original.minutes * part + reading,
      )
      const [, countdown] = /^```countdown\n(\d+) minutes\n```$/m.exec(slide.text)!
      expect(slide.minutes - Number(countdown)).toBe(2)
    }
  })

  test('has a welcome, breaks, questions and a close, and nobody sits for two hours', () => {
    for (const day of days) {
      const rows = deck.rows.filter((row) => row.day === day)
      const what = rows.map((row) => row.what)
      expect(what[0]).toMatch(/^(?:Welcome|Morning)$/)
      expect(what.slice(-2).join()).toMatch(/^Questions,(?:Close|Evening)$/)
      let since = 0
      for (const row of rows) {
        if (/^(?:Break|Lunch)$/.test(row.what)) since = row.to
        expect(row.to - since, row.what).toBeLessThan(120)
      }
    }
  })

  test('after each exercise comes a debrief, even if the instructor is late', () => {
    const cut = new Set(deck.cuts.map(({ number }) => number))
    const kept = slides.filter((_slide, index) => !cut.has(index + 1))
    expect(kept.length).toBeLessThan(slides.length)
    for (const [index, { kind, text }] of kept.entries()) {
      if (kind !== 'exercise') continue
      const later = kept.slice(index + 1).map((slide) => slide.kind)
      const end = later.findIndex((each) => each === 'exercise' || each === 'recap')
      expect(later.slice(0, end), text).toContain('debrief')
    }
  })

  test('the schedule, breaks and questions show times of day', () => {
    for (const day of days) {
      const schedule = slides.find(
        ({ plan, text }) => plan!.day === day && text.startsWith('## The plan'),
      )!
      const times = [...schedule.text.matchAll(/^\| (\d+:\d\d) \| (.+) \|$/gm)]
      const rows = deck.rows.filter((row) => row.day === day)
      expect(times.map(([, time, what]) => ({ time, what }))).toEqual([
        ...rows.map(({ from, what }) => ({ time: clock(NINE + from), what })),
        { time: clock(NINE + deck.minutes), what: 'End' },
      ])
    }
    const breaks = slides.filter(({ kind }) => kind === 'break')
    for (const { text, plan } of breaks) expect(text).toContain(`**${clock(NINE + plan!.to)}**`)
  })

  test('every line "Next:" names the lesson that is next', () => {
    const nexts = deck.chapters.flatMap(({ name: chapter, slides: all }) =>
      all.flatMap(({ text }) => {
        const [, next] = /^Next: (.*)$/m.exec(text) ?? []
        return next === undefined ? [] : [{ chapter, next }]
      }),
    )
    const isLesson = (chapter: string): boolean =>
      lessons().some(({ folder }) => folder === chapter)
    const names = deck.chapters.map((chapter) => chapter.name)
    expect(nexts.map(({ chapter }) => chapter)).toEqual(names.filter(isLesson))
    for (const { chapter, next } of nexts) {
      const [first, second] = names.slice(names.indexOf(chapter) + 1)
      const later = /^(?:break|lunch)/.test(first!) ? second! : first!
      const lesson = lessons().find(({ folder }) => folder === later)
      expect(next).toContain(lesson ? `lesson ${lesson.number}, “${lesson.title}”` : 'questions')
      expect(next.includes('a break') || next.includes('lunch')).toBe(later !== first)
    }
  })

  test('the homework is what nobody has done in class', () => {
    const shown = slides.find(({ text }) => text.startsWith('## At home'))!.text
    const done = slides.filter(({ kind }) => kind === 'exercise').flatMap(tasksOf)
    for (const task of done) expect(shown).not.toContain(task)
    const names = deck.chapters.map((chapter) => chapter.name)
    for (const { number, tasks } of lessons().filter((each) => names.includes(each.folder))) {
      const left = tasks.map(({ id }) => id).filter((id) => !done.includes(id))
      const [, listed] = new RegExp(`^- Lesson ${number}, .*: (.*)$`, 'm').exec(shown) ?? []
      if (left.length === 0) expect(listed).toBe(undefined)
      else if (left.length === tasks.length) expect(listed).toBe('all tasks')
      else expect(listed!.match(/\d+\.\d+/g)).toEqual(left)
    }
  })

  test('the pacing follows a clock through the day', () => {
    const plans = slides.map((slide) => slide.plan!)
    // The instructor shows the second break of the last day, which should begin at `from`.
    const current = slides.findLastIndex(({ text }) => text.startsWith('## Break'))
    const { from, to } = plans[current]!
    const at = (minute: number) => pacing(plans, current, { now: NINE + minute, startsAt: NINE })
    expect(at(from - 6)).toEqual({ late: -6, planned: showing(plans, current, from - 6) })
    expect(at(from)).toEqual({ late: 0, planned: current })
    expect(at(to - 1)).toEqual({ late: 0, planned: current })
    expect(at(to + 9)).toEqual({ late: 9, planned: showing(plans, current, to + 9) })
    // People arrive before the start, and the last slide is shown until everybody has gone.
    const first = plans.findIndex(({ day }) => day === plans[current]!.day)
    expect(at(-20)).toEqual({ late: -20 - from, planned: first })
    const last = slides.length - 1
    expect(pacing(plans, last, { now: NINE + deck.minutes + 5, startsAt: NINE })).toEqual({
      late: 5,
      planned: last,
    })
  })

  test('followers get the same slides, without notes and without the slides that are left out', () => {
    const view = deckView({ role: 'follower' }, { name, startsAt: NINE })
    const titles = view.chapters.flatMap((chapter) => chapter.slides).map(titleOf)
    expect(titles).toEqual(slides.map(titleOf))
    expect(view.chapters.flatMap((chapter) => chapter.slides).some(({ notes }) => notes)).toBe(
      false,
    )
    const left = readAgenda(name)
      .days.flat()
      .flatMap(({ without }) => without)
    expect(titles.filter((title) => left.includes(title))).toEqual([])
  })
})

test('an agenda that is too long, or names a slide that does not exist, says so', () => {
  const half = readAgenda('half')
  const items = half.days[0]!
  const [, lesson1] = items
  expect(deckOf({ ...half, days: [[...items, lesson1!]] }, NINE).problems).toEqual([
    expect.stringMatching(/^slides\/agendas\/half\.md: day 1 needs 2\d\d of its 240 minutes\. /),
  ])
  const wrong = { ...lesson1!, without: ['Half a charakter'] }
  expect(deckOf({ ...half, days: [[wrong]] }, NINE).problems).toContain(
    'slides/agendas/half.md: 01-raw-chunks has no slide "Half a charakter"',
  )
  expect(deckOf({ ...half, days: [[wrong]] }, NINE).problems).toContain(
    'slides/agendas/half.md: no slide is called "Tasks 2.1 to 2.4: write the stream"',
  )
})

test('without an agenda, the plan lists the lessons, and no slide has a time', () => {
  const { chapters } = readDeck()
  const slides = chapters.flatMap((chapter) => chapter.slides)
  expect(slides.find((slide) => titleOf(slide) === 'The plan')!.text).toContain(
    '| [Raw chunks](lessons/01-raw-chunks/README.md) | 40 |',
  )
  expect(slides.some(({ plan }) => plan)).toBe(false)
})

test('a workshop may last until after midnight', () => {
  const { chapters } = agendaDeck({ name: 'half', startsAt: 22 * 60 })
  const plans = chapters.flatMap(({ slides }) => slides.map((slide) => slide.plan!))
  const last = plans.length - 1
  expect(pacing(plans, last, { now: 2 * 60 + 3, startsAt: 22 * 60 }).late).toBe(3)
  expect(chapters.at(-1)!.slides.at(-1)!.notes).toMatch(/^\*1:57 to 2:00\.\*/)
})

test('times are read, written and rounded', () => {
  expect(['9:00', '09:05', '23:59', '24:00', '9', 'nine'].map(minutesOfDay)).toEqual([
    540,
    545,
    1439,
    undefined,
    undefined,
    undefined,
  ])
  expect(nearestFive(new Date(2026, 10, 30, 8, 58))).toBe(540)
  expect(nearestFive(new Date(2026, 10, 30, 9, 2))).toBe(540)
})

/** Returns the index of the slide of the same day whose time includes this minute. */
function showing(plans: Plan[], current: number, minute: number): number {
  return plans.findIndex(
    ({ day, from, to }) => day === plans[current]!.day && from <= minute && minute < to,
  )
}
