import type { Paint } from './colour.ts'
import { wrap } from './text.ts'

/**
 * Formats Markdown for a terminal: wraps paragraphs to `width`, indents code blocks, and removes the markup of emphasis
 * and links.
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

/** Wraps a paragraph. The lines of a list item are aligned with the item's text. */
function filled(text: string, width: number): string[] {
  const hanging = /^([-*]|\d+\.) /.exec(text)?.[0].length ?? 0
  return wrap(text.replaceAll(/\s+/g, ' '), width, hanging)
}

/** Removes inline markup, except in code blocks, which are indented by four spaces. */
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
