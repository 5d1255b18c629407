import { structuredPatch } from 'diff'
import type { Paint } from '../terminal/colour.ts'

/** A place where a learner's file differs from the solution's. */
export type Difference = {
  /** The number of its first line in the learner's file. */
  line: number
  /** The differing lines with a few lines of context. Each begins with `-`, `+` or a space. */
  text: string[]
  /** The numbers of the lines that only the solution has, counted without the region markers. */
  added: number[]
}

/** Finds the differences between a learner's file and the solution's. */
export function differences(mine: string, theirs: string): Difference[] {
  const before = mine.replaceAll('\r\n', '\n')
  const { hunks } = structuredPatch('', '', before, withoutRegions(theirs), '', '', { context: 3 })
  return hunks.map(({ oldStart, newStart, lines }) => {
    const text = lines.filter((line) => !line.startsWith('\\'))
    const theirLines = text.filter((line) => !line.startsWith('-'))
    const added = theirLines.flatMap((line, n) => (line.startsWith('+') ? [newStart + n] : []))
    return { line: oldStart, text, added }
  })
}

/** Formats a difference for the terminal. */
export function formatDifference({ line, text }: Difference, paint: Paint): string {
  return [paint('quiet', `  from line ${line}`), ...text.map((each) => painted(each, paint))].join(
    '\n',
  )
}

/** Removes the region markers, which only serve to generate the stubs. */
export function withoutRegions(source: string): string {
  return source.replace(/^\s*(?:\/\/|#) #(region|endregion)\b.*\n/gm, '')
}

function painted(line: string, paint: Paint): string {
  if (line.startsWith('-')) return paint('bad', line)
  if (line.startsWith('+')) return paint('good', line)
  return line
}
