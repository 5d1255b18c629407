import type { Paint } from './colour.ts'

/**
 * Markdown for reading in a terminal: paragraphs filled to `width`, listings indented as they are, and the
 * marks of emphasis and links taken away.
 */
export function readable(
  markdown: string,
  { width, paint }: { width: number; paint: Paint },
): string {
  const lines: string[] = []
  let paragraph: string[] = []
  let isCode = false
  const endParagraph = (): void => {
    if (paragraph.length > 0) lines.push(...filled(paragraph.join(' '), Math.min(width, 80) - 2))
    paragraph = []
  }

  for (const line of markdown.split('\n')) {
    if (/^\s*(```|~~~)/.test(line)) {
      endParagraph()
      isCode = !isCode
    } else if (isCode) {
      lines.push(`    ${line}`.trimEnd())
    } else if (line.trim() === '') {
      endParagraph()
      if (lines.at(-1) !== '') lines.push('')
    } else if (/^\s*([-*]|\d+\.) |^\|/.test(line)) {
      endParagraph()
      paragraph.push(line.trim())
    } else if (/^#+ /.test(line)) {
      endParagraph()
      lines.push(paint('strong', line.replace(/^#+ /, '')))
    } else {
      paragraph.push(line.trim())
    }
  }
  endParagraph()
  return lines.map((line) => (line === '' ? '' : `  ${withoutMarks(line, paint)}`)).join('\n')
}

function filled(text: string, width: number): string[] {
  const hanging = /^([-*]|\d+\.) /.exec(text)?.[0].length ?? 0
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line.trim() !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = ' '.repeat(hanging)
    }
    line += line.trim() === '' ? word : ` ${word}`
  }
  return [...lines, line]
}

/** Listings are indented by four, and keep what they have. */
function withoutMarks(line: string, paint: Paint): string {
  if (line.startsWith('    ')) return line
  return line
    .replace(/\[([^\]]+)\]\(([^)]+)\)/g, '$1 ($2)')
    .split(/(`[^`]+`)/)
    .map((part) =>
      part.startsWith('`')
        ? paint('strong', part.slice(1, -1))
        : part.replace(/\*\*([^*]+)\*\*/g, '$1'),
    )
    .join('')
}
