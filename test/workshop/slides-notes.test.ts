import { describe, expect, test } from 'vitest'
import { lessons } from '../../workshop/lessons/catalogue.ts'
import { tasksOf } from '../../workshop/slides/agenda-texts.ts'
import { readDeck, titleOf, type Slide } from '../../workshop/slides/deck.ts'
import { areQuotesOfLessonsLost } from './quotes-of-lessons.ts'

// Somebody who has not built the workshop has to be able to teach it, so the notes are tested as well.

describe.skipIf(areQuotesOfLessonsLost())('the notes for the instructor', () => {
  const chapters = readDeck().chapters

  test.each(chapters)(
    'in $name say what to ask, what to expect and what to press',
    ({ slides }) => {
      const lengths = slides
        .filter(({ kind }) => kind === 'wire' || kind === 'demo' || kind === 'debrief')
        .map((slide) => ({ title: titleOf(slide), words: slide.notes.split(/\s+/).length }))
      expect(lengths.filter(({ words }) => words < 60 || words > 120)).toEqual([])
    },
  )

  test.each(chapters)('in $name ask a question at each wire and each debrief', ({ slides }) => {
    const silent = slides
      .filter(({ kind }) => kind === 'wire' || kind === 'demo' || kind === 'debrief')
      .filter(
        ({ text, notes }) => !/\*\*[Aa]sk\*\*/.test(notes) || !`${text}${notes}`.includes('?'),
      )
    expect(silent.map(titleOf)).toEqual([])
  })

  test.each(taught())(
    'of lesson $number name each task in a debrief, or say that it has none',
    ({ slides, tasks }) => {
      const debriefs = slides.filter(({ kind }) => kind === 'debrief' || kind === 'myth')
      const named = debriefs.flatMap(({ text, notes }) => [
        ...[...text.matchAll(/^✗ (\d+\.\d+)[a-z]+/gm)].map(([, task]) => task!),
        ...tasksIn(notes),
      ])
      const excused = slides.filter(({ kind }) => kind === 'exercise').flatMap(excusedIn)
      const left = tasks.filter((task) => !named.includes(task) && !excused.includes(task))
      expect(left).toEqual([])
      expect(excused.filter((task) => !tasks.includes(task))).toEqual([])
    },
  )
})

/** Returns the lessons that have slides, with their exercises' tasks. */
function taught(): { number: number; slides: Slide[]; tasks: string[] }[] {
  return lessons().flatMap(({ number, folder }) => {
    const slides = readDeck().chapters.find(({ name }) => name === folder)?.slides
    if (!slides) return []
    const exercises = slides.filter(({ kind }) => kind === 'exercise')
    return [{ number, slides, tasks: exercises.flatMap(tasksOf) }]
  })
}

/** Returns the tasks of the sentences that say that a task has no debrief. */
function excusedIn({ notes }: Slide): string[] {
  const sentences = notes
    .replaceAll(/\s+/g, ' ')
    .matchAll(/[Tt]asks? [\d., and]+ ha(?:s|ve) no debrief/g)
  return [...sentences].flatMap(([sentence]) => tasksIn(sentence))
}

/** Returns the tasks that a text names: 1.4 and 1.5 for `tasks 1.4 and 1.5`. */
function tasksIn(text: string): string[] {
  const lists = text
    .replaceAll(/\s+/g, ' ')
    .matchAll(/[Tt]asks? (\d+\.\d+(?:(?:, | and |, and )\d+\.\d+)*)/g)
  return [...lists].flatMap(([, list]) => list!.match(/\d+\.\d+/g)!)
}
