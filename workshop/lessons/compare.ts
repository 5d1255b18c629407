import { structuredPatch } from 'diff'
import type { Paint } from '../terminal/colour.ts'

/** Where a learner's text and the solution's differ, with a few lines around; or that they do not. */
export function compared(mine: string, theirs: string, paint: Paint): string {
  const ours = withoutRegions(theirs)
  const { hunks } = structuredPatch('', '', mine.replaceAll('\r\n', '\n'), ours, '', '', {
    context: 3,
  })
  if (hunks.length === 0) return '  The same, line by line.'
  return hunks
    .flatMap(({ oldStart, lines }) => [
      paint('quiet', `  from line ${oldStart}`),
      ...lines.filter((line) => !line.startsWith('\\')).map((line) => painted(line, paint)),
    ])
    .join('\n')
}

/** The marks by which stubs are made are no part of what there is to learn. */
function withoutRegions(source: string): string {
  return source.replace(/^\s*(?:\/\/|#) #(region|endregion)\b.*\n/gm, '')
}

function painted(line: string, paint: Paint): string {
  if (line.startsWith('-')) return paint('bad', line)
  if (line.startsWith('+')) return paint('good', line)
  return line
}
