import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { partsOf, slidesFolder } from './deck.ts'

/** An agenda as its file in `slides/agendas/` states it. */
export type Agenda = {
  /** The name of its file: `half`. */
  name: string
  title: string
  /** The minutes of each day, including breaks. */
  minutes: number
  days: Item[][]
  /** The slides that only this agenda has. */
  own: OwnSlide[]
}

/** A chapter of slides, or a part with a duration, such as a break. */
export type Item = {
  /** The name of a file in `slides/` or in `slides/agendas/parts/`. */
  chapter: string
  /** The minutes of a part, or `the rest` for the part that gets all minutes that are left. */
  takes?: number | 'the rest'
  /** The titles of slides to leave out. */
  without: string[]
  /** The titles of slides to skip first if the instructor is late. */
  ifLate: string[]
}

/** A slide that replaces the slide with this title. */
export type OwnSlide = { insteadOf: string; part: string }

/** Returns the names of all agendas, the shortest first. */
export function agendaNames(): string[] {
  const files = readdirSync(join(slidesFolder, 'agendas')).filter((name) => name.endsWith('.md'))
  const agendas = files.map((file) => readAgenda(file.replace(/\.md$/, '')))
  const length = ({ days, minutes }: Agenda): number => days.length * minutes
  return agendas.toSorted((one, other) => length(one) - length(other)).map(({ name }) => name)
}

/**
 * Reads an agenda:
 *
 *     # Half a day
 *
 *     240 minutes
 *
 *     - 00-welcome
 *     - 01-raw-chunks
 *       - without: Half a character
 *       - if late: Backpressure
 *     - break, 15 minutes
 *     - questions, the rest
 *
 * If there are several days, each begins with a heading of its own. After a line `---` comes a slide that only this agenda
 * has. It begins with `Instead of:` and the title of the slide that it replaces.
 *
 * @throws Error if a line is neither of these
 */
export function readAgenda(name: string): Agenda {
  const file = `agendas/${name}.md`
  const [list = '', ...parts] = partsOf(file)
  const agenda: Agenda = { name, title: '', minutes: 0, days: [], own: parts.map(ownSlideIn) }
  for (const line of list.split('\n').filter((each) => each.trim() !== '')) {
    const [, title] = /^# (.+)$/.exec(line) ?? []
    const [, minutes] = /^(\d+) minutes/.exec(line) ?? []
    const [, chapter, takes] = /^- ([a-z0-9-]+)(?:, (\d+ minutes|the rest))?$/.exec(line) ?? []
    const [, word, slide] = /^ {2}- (without|if late): (.+)$/.exec(line) ?? []
    if (title) agenda.title = title
    else if (minutes) agenda.minutes = Number(minutes)
    else if (/^## /.test(line)) agenda.days.push([])
    else if (chapter) {
      if (agenda.days.length === 0) agenda.days.push([])
      agenda.days.at(-1)!.push({
        chapter,
        ...(takes && { takes: takes === 'the rest' ? takes : Number.parseInt(takes, 10) }),
        without: [],
        ifLate: [],
      })
    } else {
      const item = agenda.days.at(-1)?.at(-1)
      if (!word || !item) throw new Error(`slides/${file} has a line that is not known: ${line}`)
      item[word === 'without' ? 'without' : 'ifLate'].push(slide!)
    }
  }
  return agenda
}

function ownSlideIn(part: string): OwnSlide {
  const [, insteadOf = '', slide = ''] = /^\s*Instead of: (.+)\n([\s\S]*)$/.exec(part) ?? []
  return { insteadOf, part: slide }
}
