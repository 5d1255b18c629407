/** Replaces some lines of a file by others. */
export type Hunk = { from: string[]; to: string[] }

/**
 * Reads the hunks of a diff. Lines that begin with `-` are replaced, those with `+` replace them, and those with a
 * space stay: they say where. `@@` on a line of its own stands between two hunks.
 *
 * @throws Error when a line begins with something else, or a hunk has no line of the file
 */
export function parseHunks(lines: readonly string[]): Hunk[] {
  const hunks: Hunk[] = [{ from: [], to: [] }]
  for (const line of lines) {
    if (line === '@@') {
      hunks.push({ from: [], to: [] })
      continue
    }
    const [mark, text] = [line.slice(0, 1), line.slice(1)]
    if (!['-', '+', ' ', ''].includes(mark)) {
      throw new Error(`a line of a diff begins with "-", "+" or a space, got "${line}"`)
    }
    const { from, to } = hunks.at(-1)!
    if (mark !== '+') from.push(text)
    if (mark !== '-') to.push(text)
  }
  for (const { from, to } of hunks) {
    if (from.every(isBlank)) throw new Error('a hunk has no line of the file that says where it is')
    if (from.join('\n') === to.join('\n')) throw new Error(`a hunk changes nothing: ${told(from)}`)
  }
  return hunks
}

/**
 * Makes the edits in a text. A hunk may be indented more or less than the lines that it replaces, as long as it is so
 * throughout.
 *
 * @throws Error when the lines of a hunk are not in the text exactly once, or two hunks overlap
 */
export function applyHunks(text: string, hunks: readonly Hunk[]): string {
  const lines = text.split('\n')
  const places = hunks
    .map(({ from, to }) => ({ from, to, ...placeOf(from, lines) }))
    .toSorted((one, other) => one.at - other.at)
  const made: string[] = []
  let next = 0
  for (const { from, to, at, offset } of places) {
    if (at < next) throw new Error(`two hunks have the same line: ${told(from)}`)
    made.push(...lines.slice(next, at), ...to.map((line) => shift(line, offset)))
    next = at + from.length
  }
  return [...made, ...lines.slice(next)].join('\n')
}

/** Finds the one place of `from`, and how much further it is indented there. */
function placeOf(from: string[], lines: string[]): { at: number; offset: number } {
  const anchor = from.findIndex((line) => !isBlank(line))
  const places = [...lines.keys()].flatMap((at) => {
    const offset = indentation(lines[at + anchor] ?? '') - indentation(from[anchor]!)
    const isHere = from.every((line, n) => lines[at + n] === shift(line, offset))
    return isHere ? [{ at, offset }] : []
  })
  const [place, ...others] = places
  if (!place) throw new Error(`no such lines: ${told(from)}`)
  if (others.length > 0) throw new Error(`${others.length + 1} times the same lines: ${told(from)}`)
  return place
}

function shift(line: string, offset: number): string {
  if (isBlank(line)) return ''
  return offset < 0 ? line.slice(Math.min(-offset, indentation(line))) : ' '.repeat(offset) + line
}

function indentation(line: string): number {
  return line.length - line.trimStart().length
}

function isBlank(line: string): boolean {
  return line.trim() === ''
}

function told(lines: string[]): string {
  return `"${lines.map((line) => line.trim()).join(' ⏎ ')}"`
}
