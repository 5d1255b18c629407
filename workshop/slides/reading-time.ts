import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { lessonNumbered, lessonsFolder } from '../lessons/catalogue.ts'

/**
 * Returns the minutes that people need to read these tasks in the README of their lesson, rounded up. Hints and edge cases
 * are folded, so they do not count.
 *
 * @param tasks the IDs of the tasks: `1.4`
 * @param options.isFirst whether people also read the README's beginning, up to the first task
 */
export function readingMinutes(tasks: string[], { isFirst }: { isFirst: boolean }): number {
  const [number = ''] = tasks[0]?.split('.') ?? []
  const lesson = lessonNumbered(Number(number))
  if (!lesson || lesson.problem) return 0
  const text = readFileSync(join(lessonsFolder, lesson.folder, 'README.md'), 'utf8')
  const [beginning = '', ...sections] = unfolded(text).split(/^(?=### \d+\.\d+ |## (?!#))/m)
  const preface = sections.slice(
    0,
    sections.findIndex((section) => section.startsWith('### ')),
  )
  const read = [
    ...(isFirst ? [beginning, ...preface] : []),
    ...sections.filter((section) => tasks.some((task) => section.startsWith(`### ${task} `))),
  ]
  const words = read.join('\n').split(/\s+/).length
  return Math.ceil(words / WORDS_PER_MINUTE)
}

/** Removes everything that is folded, except for the box "Words". */
function unfolded(text: string): string {
  return text.replaceAll(/<details>[\s\S]*?<\/details>/g, (box) =>
    box.includes('<summary>Words</summary>') ? box : '',
  )
}

/** People read technical texts, with code and pictures, more slowly than novels. */
const WORDS_PER_MINUTE = 200
