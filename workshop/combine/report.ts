import type { Draw } from './draw.ts'
import { FINDINGS, type GradedPair } from './grade-pair.ts'

/** The result of one lesson. */
export type LessonResult = Pick<Draw, 'overlapping' | 'untyped'> & {
  lesson: number
  graded: GradedPair[]
}

/** Returns a table with a row for each lesson and a last row with the sums, as Markdown. */
export function combineTable(results: readonly LessonResult[]): string {
  const head = ['lesson', 'pairs', ...FINDINGS, 'own words', 'overlap', 'do not compile']
  const rows = results.map(({ lesson, graded, overlapping, untyped }) => [
    lesson,
    graded.length,
    ...FINDINGS.map((finding) => graded.filter((pair) => pair.finding === finding).length),
    graded.filter(({ hasPhrase }) => hasPhrase).length,
    overlapping,
    untyped,
  ])
  const sums = head.map((_, column) => rows.reduce((sum, row) => sum + row[column]!, 0))
  return [head, head.map(() => '---'), ...rows, ['all', ...sums.slice(1)]]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n')
}

/** Returns whether the first message about a pair leads a learner to neither mistake. */
export function isFinding({ finding }: GradedPair): boolean {
  return finding === 'elsewhere' || finding === 'passes'
}

/** Describes a graded pair in a line or two. */
export function describePair({ pair, finding, failed, problem }: GradedPair): string {
  const names = pair.mistakes.map(({ name, fails }) => `${name} (${fails})`).join(' + ')
  const what = failed ? `${failed.id}: ${failed.story?.seen ?? ''}` : (problem ?? 'no check failed')
  return `lesson ${pair.both.lesson}, ${finding}: ${names}\n  ${what.replaceAll(/\s+/g, ' ')}`
}
