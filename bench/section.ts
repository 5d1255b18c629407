/** The results of one benchmark, as a section of `RESULTS.md`. */
export type Section = {
  title: string
  /** How it was measured, as Markdown. */
  text: string
  head: string[]
  rows: string[][]
}

/** How much a benchmark measures: enough for stable figures, or only enough to show that it runs. */
export type Size = 'full' | 'tiny'

export function toMarkdown({ title, text, head, rows }: Section): string {
  const row = (cells: string[]): string => `| ${cells.join(' | ')} |`
  const table = [row(head), row(head.map(() => '---')), ...rows.map(row)]
  return `## ${title}\n\n${text}\n\n${table.join('\n')}\n`
}

/** Shows the median of the ratios of several rounds, and their range. */
export function ratioText(ratios: readonly number[]): string {
  const show = (ratio: number): string => ratio.toFixed(2)
  return `${show(median(ratios))} × (${show(Math.min(...ratios))} to ${show(Math.max(...ratios))})`
}

/** Shows a goal, and whether the median of the ratios reaches it. */
export function goalText(
  goal: number | undefined,
  ratios: readonly number[],
  better: 'more' | 'less' = 'more',
): string {
  if (goal === undefined) return ''
  // Judge the figure that the table shows.
  const shown = Number(median(ratios).toFixed(2))
  const isReached = better === 'more' ? shown >= goal : shown <= goal
  const limit = `at ${better === 'more' ? 'least' : 'most'} ${goal.toFixed(1)} ×`
  return `${limit}: ${isReached ? 'reached' : 'missed'}`
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  const middle = sorted.length / 2
  return (sorted[Math.floor(middle - 0.5)]! + sorted[Math.ceil(middle - 0.5)]!) / 2
}
