import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../root.ts'
import { pictureOf, quote, saysOf, table } from './quote.ts'
import { sceneIn, type Scene } from './scene.ts'

/** The kind of a slide, which selects the slide's CSS class and the word above its title. */
export type Kind = (typeof KINDS)[number]

/** All kinds. Every lesson needs a slide of each kind except `welcome` and `demo`. */
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
] as const

export type Slide = {
  kind: Kind
  minutes: number
  /** The slide's Markdown, with all quotes filled in. */
  text: string
  /** The notes for the instructor, in Markdown. */
  notes: string
}

/** One file of slides: the welcome, or a lesson. */
export type Chapter = { name: string; slides: Slide[] }

export type Deck = {
  chapters: Chapter[]
  /** The scenes, whose programs can be run on slides. */
  scenes: Scene[]
  /** The reasons why slides cannot be shown: `slides/01-raw-chunks.md, slide 3: there is no file …`. */
  problems: string[]
}

export const slidesFolder = join(ROOT, 'slides')

/**
 * Reads every file in `slides/`, in order. If a slide does not begin with its kind and its minutes, or quotes something that
 * does not exist, replaces the slide with a slide that states the problem, so that the others can still be shown.
 */
export function readDeck(): Deck {
  const names = readdirSync(slidesFolder).filter((name) => /^\d\d-.*\.md$/.test(name))
  const scenes: Scene[] = []
  const problems: string[] = []
  const chapters = names.toSorted().map((file) => {
    const text = readFileSync(join(slidesFolder, file), 'utf8').replaceAll('\r\n', '\n')
    const slides = text.split(/^---$/m).map((part, index): Slide => {
      try {
        return readSlide(part, scenes)
      } catch (error) {
        const problem = `slides/${file}, slide ${index + 1}: ${(error as Error).message}`
        problems.push(problem)
        return { kind: 'concept', minutes: 1, text: `## Not to be shown\n\n${problem}`, notes: '' }
      }
    })
    return { name: file.replace(/\.md$/, ''), slides }
  })
  return { chapters, scenes, problems }
}

/**
 * Parses a slide: `<!-- myth, 2 minutes -->`, its text and, after a line `Note:`, the notes for the instructor.
 *
 * A code block with a file after its language quotes that file. A block named `table` quotes rows of a table, and a block
 * named `says` quotes the message that a learner gets for a mistake, or its picture. Adds the scene of a block named
 * `wire` to `scenes`.
 *
 * @throws Error
 */
function readSlide(part: string, scenes: Scene[]): Slide {
  const [, word = '', minutes = '', body = ''] =
    /^\s*<!-- ([a-z]+), (\d+(?:\.\d+)?) minutes? -->\n([\s\S]*)$/.exec(part) ?? []
  const kind = KINDS.find((known) => known === word)
  if (!kind) {
    throw new Error(`begin it with its kind and its minutes, as in <!-- ${KINDS[2]}, 2 minutes -->`)
  }
  const [text = '', notes = ''] = body.split(/^Note:$/m)
  return {
    kind,
    minutes: Number(minutes),
    text: text.replace(LISTING, (whole, language: string, said: string, inside: string) => {
      if (language === 'wire') {
        const scene = sceneIn(said, inside)
        scenes.push(scene)
        return listing('wire', '', `${scene.name}\n`)
      }
      if (language === 'table') return table(said, inside)
      if (language === 'says') {
        return inside.trim() === 'picture'
          ? listing('space-time', '', pictureOf(said))
          : listing('text', 'npm test', saysOf(said))
      }
      if (!said.includes('/')) return whole
      return listing(language, said.replace(/#.*/, ''), quote(said, inside))
    }),
    notes: notes.trim(),
  }
}

const LISTING = /^```([a-z]+) ?(.*)\n([\s\S]*?)^```$/gm

function listing(language: string, said: string, inside: string): string {
  return `\`\`\`${language} ${said}\n${inside}\`\`\``
}
