/** Cuts off the end of a text if it is longer than `width`. */
export function truncate(text: string, width: number): string {
  const characters = [...text]
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`
}

/**
 * Wraps a text between words. Does not break a word that is longer than a line.
 *
 * @param hanging the indentation of all lines but the first
 */
export function wrap(text: string, width: number, hanging = 0): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = ' '.repeat(hanging) + word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}
