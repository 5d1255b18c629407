import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readAgenda, type Agenda, type Item } from './agenda.ts'
import { homeworkAfter, labelOf, nextOf, tasksOf, withNext } from './agenda-texts.ts'
import { clock } from './clock.ts'
import { fillBlock, readChapter, readSlide, slidesFolder, titleOf } from './deck.ts'
import type { Deck, Plan, Slide } from './deck.ts'
import { readingMinutes } from './reading-time.ts'

/** An agenda, and the time of day at which each of its days begins, in minutes since midnight. */
export type AgendaChoice = { name: string; startsAt: number }

/** The deck of an agenda. All slides have a plan. */
export type AgendaDeck = Deck & {
  title: string
  /** The minutes of a day. */
  minutes: number
  startsAt: number
  rows: Row[]
  cuts: Cut[]
}

/** A row of the schedule, which is a chapter of the deck. */
export type Row = Plan & {
  what: string
  /** The minutes of its exercises, which include the time to read the tasks. */
  tasks: number
  reading: number
}

/** A slide that an instructor who is late skips first. */
export type Cut = { number: number; title: string; minutes: number }

/** The part of each day that talks, tasks and breaks must leave for questions and delays. */
export const BUFFER = 0.12

/**
 * Returns the deck of an agenda: only its slides, with breaks, a schedule and a close. If the agenda names a slide that does
 * not exist, or is too long, the deck's problems say so.
 */
export function agendaDeck({ name, startsAt }: AgendaChoice): AgendaDeck {
  return deckOf(readAgenda(name), startsAt)
}

/** Returns the deck of an agenda that has already been read. */
export function deckOf({ name, title, minutes, days, own }: Agenda, startsAt: number): AgendaDeck {
  const deck: AgendaDeck = {
    title,
    minutes,
    startsAt,
    chapters: [],
    scenes: [],
    problems: [],
    rows: [],
    cuts: [],
  }
  const ownSlides = new Map(
    own.map(({ insteadOf, part }) => [insteadOf, readSlide(part, deck.scenes)]),
  )
  const unused = new Set(ownSlides.keys())
  for (const [index, items] of days.entries()) planDay(index + 1, items)
  for (const each of unused) complain(`no slide is called "${each}"`)
  fillTexts()
  return deck

  function complain(what: string): void {
    deck.problems.push(`slides/agendas/${name}.md: ${what}`)
  }

  /** Adds the slides of a day, each with its time. */
  function planDay(day: number, items: Item[]): void {
    const picked = items.map((item) => ({ item, slides: slidesOf(item) }))
    const taken = picked.reduce((sum, { item, slides }) => sum + lengthOf(item, slides, 0), 0)
    const rest = minutes - taken
    const buffer = Math.ceil(minutes * BUFFER)
    if (rest < buffer) {
      complain(
        `day ${day} needs ${taken} of its ${minutes} minutes. Leave at least ${buffer} for questions.`,
      )
    }
    let now = 0
    for (const [at, { item, slides }] of picked.entries()) {
      const from = now
      const later = picked.slice(at + 1).map((each) => each.item.chapter)
      const planned = slides.map((slide) => {
        const length = lengthOf(item, [slide], Math.max(rest, 0))
        const plan = { day, from: now, to: now + length }
        now = plan.to
        return { ...withNext(slide, nextOf(later)), minutes: length, plan }
      })
      deck.chapters.push({ name: unusedName(item.chapter), slides: planned })
      const exercises = slides.filter(({ kind }) => kind === 'exercise')
      deck.rows.push({
        day,
        from,
        to: now,
        what: labelOf(item.chapter),
        tasks: exercises.reduce((sum, slide) => sum + slide.minutes, 0),
        reading: exercises.reduce((sum, { reading = 0 }) => sum + reading, 0),
      })
    }
  }

  /** Returns a name for a chapter that may occur several times, such as a break. */
  function unusedName(chapter: string): string {
    const isUsed = (each: string): boolean => deck.chapters.some((other) => other.name === each)
    let count = 1
    let found = chapter
    while (isUsed(found)) found = `${chapter}-${(count += 1)}`
    return found
  }

  /** Returns the slides of an item, with the time for reading added to its exercises. */
  function slidesOf({ chapter, without, ifLate }: Item): SlideToRead[] {
    const part = `agendas/parts/${chapter}.md`
    const isPart = existsSync(join(slidesFolder, part))
    const { slides } = readChapter(isPart ? part : `${chapter}.md`, deck)
    for (const wanted of [...without, ...ifLate]) {
      if (!slides.some((slide) => titleOf(slide) === wanted)) {
        complain(`${chapter} has no slide "${wanted}"`)
      }
    }
    let isFirst = true
    return slides
      .filter((slide) => !without.includes(titleOf(slide)))
      .map((slide) => {
        unused.delete(titleOf(slide))
        const shown = ownSlides.get(titleOf(slide)) ?? slide
        if (shown.kind !== 'exercise') return shown
        const reading = readingMinutes(tasksOf(shown), { isFirst })
        isFirst = false
        return withReading(shown, reading)
      })
  }

  /** Fills the blocks that state times or homework, and begins the notes with the slide's times. */
  function fillTexts(): void {
    const ifLate = new Set(days.flat().flatMap((item) => item.ifLate))
    const homework = homeworkAfter(deck.chapters)
    const at = (minute: number): string => clock(startsAt + minute)
    let number = 0
    for (const chapter of deck.chapters) {
      chapter.slides = chapter.slides.map((slide) => {
        number += 1
        const { day, from, to } = slide.plan!
        const isCut = ifLate.has(titleOf(slide))
        if (isCut) deck.cuts.push({ number, title: titleOf(slide), minutes: slide.minutes })
        const times = `*${at(from)} to ${at(to)}.${isCut ? ' If you are late, skip this slide.' : ''}*`
        let filled = fillBlock(slide, 'until', (inside) => `${inside} **${at(to)}**`)
        filled = fillBlock(filled, 'schedule', () => scheduleOf(deck.rows, day, at))
        filled = fillBlock(filled, 'homework', () => homework)
        return { ...filled, notes: `${times}\n\n${slide.notes}` }
      })
    }
  }
}

/** A slide, and the minutes in it that are for reading tasks. */
type SlideToRead = Slide & { reading?: number }

/** Returns the minutes that these slides of an item take. */
function lengthOf({ takes }: Item, slides: Slide[], rest: number): number {
  if (takes === 'the rest') return rest
  return takes ?? slides.reduce((sum, { minutes }) => sum + minutes, 0)
}

/** Adds minutes for reading to an exercise and to its countdown. */
function withReading(slide: Slide, reading: number): SlideToRead {
  const counted = fillBlock(
    slide,
    'countdown',
    (inside) => `\`\`\`countdown\n${Number.parseInt(inside, 10) + reading} minutes\n\`\`\``,
  )
  return {
    ...counted,
    minutes: slide.minutes + reading,
    notes: `${reading} of these minutes are for reading the tasks.\n\n${slide.notes}`,
    reading,
  }
}

/** Returns the schedule of a day as a table. */
function scheduleOf(rows: Row[], day: number, at: (minute: number) => string): string {
  const ofDay = rows.filter((row) => row.day === day)
  const lines = ofDay.map(({ from, what }) => `| ${at(from)} | ${what} |`)
  return ['| | |', '|---|---|', ...lines, `| ${at(ofDay.at(-1)!.to)} | End |`].join('\n')
}
