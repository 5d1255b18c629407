import { structuredPatch } from 'diff'
import type { Paint } from '../terminal/colour.ts'

/** Formats the differences between a learner's file and the solution's, with a few lines of context. */
export function compared(mine: string, theirs: string, paint: Paint): string {
  const ours = withoutRegions(theirs)
  const { hunks } = structuredPatch('', '', mine.replaceAll('\r\n', '\n'), ours, '', '', {
    context: 3,
  })
  if (hunks.length === 0) return '  The files are identical.'
  return hunks
    .flatMap(({ oldStart, lines }) => [
      paint('quiet', `  from line ${oldStart}`),
      ...lines.filter((line) => !line.startsWith('\\')).map((line) => painted(line, paint)),
    ])
    .join('\n')
}

/** Removes the region markers, which only serve to generate the stubs. */
function withoutRegions(source: string): string {
  return source.replace(/^\s*(?:\/\/|#) #(region|endregion)\b.*\n/gm, '')
}

function painted(line: string, paint: Paint): string {
  if (line.startsWith('-')) return paint('bad', line)
  if (line.startsWith('+')) return paint('good', line)
  return line
}
