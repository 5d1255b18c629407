import { lessons } from '../lessons/catalogue.ts'
import { titleOf, type Chapter, type Slide } from './deck.ts'

/** Returns a chapter's name in a schedule: `Lesson 1: Raw chunks`, or `Break`. */
export function labelOf(chapter: string): string {
  const lesson = lessons().find(({ folder }) => folder === chapter)
  if (lesson) return `Lesson ${lesson.number}: ${lesson.title}`
  const name = chapter.replace(/^\d\d-/, '')
  return name.charAt(0).toUpperCase() + name.slice(1)
}

/** Returns what is next, and if that is a break, also what follows it: `a break, then lesson 2, “Server-sent events”`. */
export function nextOf([first, second]: string[]): string {
  if (first === undefined) return ''
  const isBreak = first === 'break' || first === 'lunch'
  return isBreak && second ? `${called(first)}, then ${called(second)}` : called(first)
}

/** Replaces the last paragraph of a recap, which begins with "Next:". */
export function withNext(slide: Slide, next: string): Slide {
  if (slide.kind !== 'recap') return slide
  const text = slide.text.replace(/\n+Next: [\s\S]*$/, '').trimEnd()
  return { ...slide, text: next ? `${text}\n\nNext: ${next}.\n` : text }
}

/** Returns the tasks in an exercise's title: 1.4, 1.5 and 1.6 for `Tasks 1.4 to 1.6: slow clients`. */
export function tasksOf(slide: Slide): string[] {
  const [, lesson, first, last = first] =
    /^Tasks? (\d+)\.(\d+)(?: (?:to|and) \d+\.(\d+))?:/.exec(titleOf(slide)) ?? []
  if (!lesson) return []
  const length = Number(last) - Number(first) + 1
  return Array.from({ length }, (_, index) => `${lesson}.${Number(first) + index}`)
}

/** Lists the tasks that are left of the deck's lessons, and the first lesson that is not in the deck. */
export function homeworkAfter(chapters: Chapter[]): string {
  const exercises = chapters.flatMap(({ slides }) =>
    slides.filter(({ kind }) => kind === 'exercise'),
  )
  const done = new Set(exercises.flatMap(tasksOf))
  const shown = new Set(chapters.map(({ name }) => name))
  const lines: string[] = []
  let next = ''
  for (const { number, title, folder, tasks } of lessons()) {
    const left = tasks.map(({ id }) => id).filter((id) => !done.has(id))
    const what = left.length === tasks.length ? 'all tasks' : `tasks ${listOf.format(left)}`
    if (!shown.has(folder)) next ||= `- Then lesson ${number}, “${title}”`
    else if (left.length > 0) lines.push(`- Lesson ${number}, “${title}”: ${what}`)
  }
  return [...lines, next].join('\n')
}

/** Returns a chapter's name in a sentence. */
function called(chapter: string): string {
  const lesson = lessons().find(({ folder }) => folder === chapter)
  if (lesson) return `lesson ${lesson.number}, “${lesson.title}”`
  return chapter === 'break' ? 'a break' : chapter
}

const listOf = new Intl.ListFormat('en-GB')
