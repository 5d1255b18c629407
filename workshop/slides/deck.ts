import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { ROOT } from '../root.ts'
import { changedLines } from './changed-lines.ts'
import { cloning } from './clone-address.ts'
import { pictureOf, quote, saysOf, table } from './quote.ts'
import { sceneIn, type Scene } from './scene.ts'

/** The kind of a slide, which selects the slide's CSS class and the word above its title. */
export type Kind = (typeof KINDS)[number]

/** All kinds. Every lesson needs a slide of each kind except `welcome`, `demo`, `break` and `close`. */
export const KINDS = [
  'welcome',
  'title',
  'concept',
  'wire',
  'myth',
  'demo',
  'exercise',
  'debrief',
  'recap',
  'break',
  'close',
] as const

export type Slide = {
  kind: Kind
  minutes: number
  /** Whether the slide shows only a question at first, so that the room can guess. A click shows the answer. */
  isGuess: boolean
  /** The slide's Markdown, with all quotes filled in. */
  text: string
  /** The notes for the instructor, in Markdown. */
  notes: string
  /** When the slide is shown. Absent if the deck has no agenda. */
  plan?: Plan
}

/** A time in an agenda: the day, counted from 1, and the minutes since the day's beginning. */
export type Plan = { day: number; from: number; to: number }

/** One file of slides: the welcome, a lesson, or a part of an agenda. */
export type Chapter = { name: string; slides: Slide[] }

export type Deck = {
  chapters: Chapter[]
  /** The scenes, whose programs can be run on slides. */
  scenes: Scene[]
  /** The reasons why slides cannot be shown: `slides/01-raw-chunks.md, slide 3: there is no file …`. */
  problems: string[]
}

export const slidesFolder = join(ROOT, 'slides')

/** Reads every file in `slides/`, in order, with all slides. */
export function readDeck(): Deck {
  const deck: Deck = { chapters: [], scenes: [], problems: [] }
  const names = readdirSync(slidesFolder).filter((name) => /^\d\d-.*\.md$/.test(name))
  for (const name of names.toSorted()) {
    const chapter = readChapter(name, deck)
    deck.chapters.push({ ...chapter, slides: chapter.slides.map(withLessons) })
  }
  return deck
}

/**
 * Reads a file of slides, and adds its scenes and problems to the deck. If a slide does not begin with its kind and its
 * minutes, or quotes something that does not exist, replaces the slide with a slide that states the problem, so that the
 * others can still be shown.
 *
 * @param file the path in `slides/`
 */
export function readChapter(file: string, deck: Pick<Deck, 'scenes' | 'problems'>): Chapter {
  const slides = partsOf(file).map((part, index): Slide => {
    try {
      return readSlide(part, deck.scenes)
    } catch (error) {
      const problem = `slides/${file}, slide ${index + 1}: ${(error as Error).message}`
      deck.problems.push(problem)
      return {
        kind: 'concept',
        minutes: 1,
        isGuess: false,
        text: `## Not to be shown\n\n${problem}`,
        notes: '',
      }
    }
  })
  return { name: basename(file, '.md'), slides }
}

/** Returns the parts of a file in `slides/`, which are separated by `---`. */
export function partsOf(file: string): string[] {
  const text = readFileSync(join(slidesFolder, file), 'utf8').replaceAll('\r\n', '\n')
  return text.split(/^---$/m)
}

/** Returns the title of a slide. */
export function titleOf({ text }: Slide): string {
  return /^##? (.*)$/m.exec(text)?.[1] ?? ''
}

/**
 * Replaces the schedule, because a deck without an agenda has no times. It shows the titles and the minutes of the
 * lessons instead.
 */
function withLessons(slide: Slide): Slide {
  return fillBlock(slide, 'schedule', () => table('README.md', '| [', ['2', '4']))
}

/** Replaces each code block with this name. */
export function fillBlock(slide: Slide, name: string, filled: (inside: string) => string): Slide {
  const text = slide.text.replace(LISTING, (whole, language: string, _said, inside: string) =>
    language === name ? filled(inside.trim()) : whole,
  )
  return { ...slide, text }
}

/**
 * Parses a slide: `<!-- myth, 2 minutes -->` or `<!-- myth, 2 minutes, guess -->`, its text and, after a line `Note:`, the
 * notes for the instructor.
 *
 * A code block with a file after its language quotes that file, and marks the lines in which a mistake and the solution
 * differ. A block named `table` quotes rows of a table, and a block
 * named `says` quotes the message that a learner gets for a mistake, or its picture. A block named `clone` shows how to
 * clone the workshop. Adds the scene of a block named `wire` to `scenes`.
 *
 * @throws Error
 */
export function readSlide(part: string, scenes: Scene[]): Slide {
  const [, word = '', minutes = '', guess, body = ''] =
    /^\s*<!-- ([a-z]+), (\d+(?:\.\d+)?) minutes?(, guess)? -->\n([\s\S]*)$/.exec(part) ?? []
  const kind = KINDS.find((known) => known === word)
  if (!kind) {
    throw new Error(`begin it with its kind and its minutes, as in <!-- ${KINDS[2]}, 2 minutes -->`)
  }
  const [text = '', notes = ''] = body.split(/^Note:$/m)
  return {
    kind,
    minutes: Number(minutes),
    isGuess: guess !== undefined,
    text: text.replace(LISTING, (whole, language: string, said: string, inside: string) => {
      if (language === 'wire') {
        const scene = sceneIn(said, inside)
        scenes.push(scene)
        return listing('wire', guess ? 'guess' : '', `${scene.name}\n`)
      }
      if (language === 'table') {
        const [path = '', ...columns] = said.split(' ')
        return table(path, inside, columns)
      }
      if (language === 'clone') return listing('sh', '', cloning())
      if (language === 'says') {
        return inside.trim() === 'picture'
          ? listing('space-time', '', pictureOf(said))
          : listing('text', 'npm test', saysOf(said))
      }
      if (!said.includes('/')) return whole
      const quoted = quote(said, inside)
      const marked = changedLines(said, quoted, text)
      const name = said.replace(/#.*/, '')
      return listing(language, marked.length > 0 ? `${name} {${marked.join()}}` : name, quoted)
    }),
    notes: notes.trim(),
  }
}

const LISTING = /^```([a-z]+) ?(.*)\n([\s\S]*?)^```$/gm

function listing(language: string, said: string, inside: string): string {
  return `\`\`\`${language} ${said}\n${inside}\`\`\``
}
