/** One hunk of a diff: its removed lines, added lines, and lines of context. */
export type Hunk = { mark: '-' | '+' | ' '; text: string }[]

/**
 * Parses the hunks of a diff, which are separated by lines that contain only `@@`.
 *
 * @throws Error if a line has no mark, or if a hunk changes nothing or has no line that locates it
 */
export function parseHunks(lines: readonly string[]): Hunk[] {
  const hunks: Hunk[] = [[]]
  for (const line of lines) {
    const [mark, text] = [line.slice(0, 1), line.slice(1)]
    if (line === '@@') hunks.push([])
    else if (mark === '-' || mark === '+' || mark === ' ') hunks.at(-1)!.push({ mark, text })
    else throw new Error(`a line of a diff must begin with "-", "+" or a space, got "${line}"`)
  }
  for (const hunk of hunks) {
    if (hunk.every(({ mark }) => mark === '+')) {
      throw new Error(
        `a hunk needs a "-" or context line that says where it belongs: ${told(hunk)}`,
      )
    }
    if (hunk.every(({ mark }) => mark === ' ')) {
      throw new Error(`a hunk changes nothing: ${told(hunk)}`)
    }
  }
  return hunks
}

/**
 * Applies hunks to a text.
 *
 * A hunk may be indented differently from the text, as long as the difference is the same for all lines. Hunks leave
 * out the text's comments and blank lines, which are removed or kept together with the line below them.
 *
 * @throws Error if the lines of a hunk do not occur in the text exactly once, or if two hunks overlap
 */
export function applyHunks(text: string, hunks: readonly Hunk[]): string {
  const lines = text.split('\n')
  const edits = hunks.map((hunk) => ({ hunk, ...editOf(hunk, lines) }))
  const made: string[] = []
  let next = 0
  for (const { hunk, start, end, to } of edits.toSorted((one, two) => one.start - two.start)) {
    if (start < next) throw new Error(`two hunks overlap: ${told(hunk)}`)
    made.push(...lines.slice(next, start), ...to)
    next = end
  }
  return [...made, ...lines.slice(next)].join('\n')
}

/** An edit: replaces the lines from `start` up to but not including `end`. */
type Edit = { start: number; end: number; to: string[] }

function editOf(hunk: Hunk, lines: readonly string[]): Edit {
  const { at, offset } = placeOf(hunk, lines)
  const start = hunk[0]!.mark === ' ' ? at[0]! : withComments(at[0]!, lines)
  const to: string[] = []
  let next = start
  let n = 0
  for (const { mark, text } of hunk) {
    if (mark === '+') {
      to.push(shift(text, offset))
      continue
    }
    const end = at[n]! + 1
    if (mark === ' ') to.push(...lines.slice(next, end))
    next = end
    n += 1
  }
  return { start, end: next, to }
}

/** Locates a hunk. Returns the positions of its lines in the text, and how much deeper the text indents them. */
function placeOf(hunk: Hunk, lines: readonly string[]): { at: number[]; offset: number } {
  const wanted = hunk.filter(({ mark }) => mark !== '+').map(({ text }) => text)
  const places = [...lines.keys()].flatMap((start) => {
    const offset = indentation(lines[start]!) - indentation(wanted[0]!)
    const at = linesFrom(
      start,
      lines,
      wanted.map((line) => shift(line, offset)),
    )
    return at ? [{ at, offset }] : []
  })
  const [place] = places
  if (!place) throw new Error(`the text does not contain these lines: ${told(hunk)}`)
  if (places.length > 1)
    throw new Error(`the text contains these lines ${places.length} times: ${told(hunk)}`)
  return place
}

/** Returns the positions of consecutive lines from `start` on, or undefined if the text there is different. */
function linesFrom(
  start: number,
  lines: readonly string[],
  wanted: readonly string[],
): number[] | undefined {
  const at: number[] = []
  let next = start
  for (const line of wanted) {
    while (next > start && next < lines.length && isAside(lines[next]!)) next += 1
    if (lines[next] !== line) return undefined
    at.push(next)
    next += 1
  }
  return at
}

/** Returns the first line of the comments directly above a line, or the line itself. */
function withComments(line: number, lines: readonly string[]): number {
  let first = line
  while (first > 0 && COMMENT.test(lines[first - 1]!) && !MARK.test(lines[first - 1]!)) first -= 1
  return first
}

function isAside(line: string): boolean {
  return isBlank(line) || COMMENT.test(line)
}

const COMMENT = /^\s*(\/\/|\/\*|\*( |\/|$)|# )/

/** Matches the marker of a region, see `workshop/lessons/stubs.ts`. */
const MARK = /#(end)?region\b/

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

function told(hunk: Hunk): string {
  const wanted = hunk.filter(({ mark }) => mark !== '+').map(({ text }) => text.trim())
  return `"${(wanted.length > 0 ? wanted : hunk.map(({ text }) => text.trim())).join(' ⏎ ')}"`
}
