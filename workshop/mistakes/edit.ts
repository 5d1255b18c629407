/** Lines of a diff: what goes, what comes in its place, and what stays and says where that is. */
export type Hunk = { mark: '-' | '+' | ' '; text: string }[]

/**
 * Reads the hunks of a diff. `@@` on a line of its own stands between two.
 *
 * @throws Error when a line has no mark, or a hunk changes nothing or does not say where
 */
export function parseHunks(lines: readonly string[]): Hunk[] {
  const hunks: Hunk[] = [[]]
  for (const line of lines) {
    const [mark, text] = [line.slice(0, 1), line.slice(1)]
    if (line === '@@') hunks.push([])
    else if (mark === '-' || mark === '+' || mark === ' ') hunks.at(-1)!.push({ mark, text })
    else throw new Error(`a line of a diff begins with "-", "+" or a space, got "${line}"`)
  }
  for (const hunk of hunks) {
    if (hunk.every(({ mark }) => mark === '+')) {
      throw new Error(`a hunk has no line of the file that says where it is: ${told(hunk)}`)
    }
    if (hunk.every(({ mark }) => mark === ' ')) {
      throw new Error(`a hunk changes nothing: ${told(hunk)}`)
    }
  }
  return hunks
}

/**
 * Makes the edits in a text.
 *
 * A hunk may be indented more or less than the text, as long as it is so throughout. Comments and blank lines of the
 * text it leaves out: each goes, or stays, with the line below it.
 *
 * @throws Error when the lines of a hunk are not in the text exactly once, or two hunks have the same line
 */
export function applyHunks(text: string, hunks: readonly Hunk[]): string {
  const lines = text.split('\n')
  const edits = hunks.map((hunk) => ({ hunk, ...editOf(hunk, lines) }))
  const made: string[] = []
  let next = 0
  for (const { hunk, start, end, to } of edits.toSorted((one, two) => one.start - two.start)) {
    if (start < next) throw new Error(`two hunks have the same line: ${told(hunk)}`)
    made.push(...lines.slice(next, start), ...to)
    next = end
  }
  return [...made, ...lines.slice(next)].join('\n')
}

/** What stands between two lines of the text, `end` not included, when the edit is made. */
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

/** Finds the one place of a hunk: where each of its lines is in the text, and how much further it is indented there. */
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
  if (!place) throw new Error(`no such lines: ${told(hunk)}`)
  if (places.length > 1) throw new Error(`${places.length} times the same lines: ${told(hunk)}`)
  return place
}

/** Where the wanted lines are, one after another, from `start` on. */
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

/** The first of the comments that stand directly above a line. */
function withComments(line: number, lines: readonly string[]): number {
  let first = line
  while (first > 0 && COMMENT.test(lines[first - 1]!) && !MARK.test(lines[first - 1]!)) first -= 1
  return first
}

function isAside(line: string): boolean {
  return isBlank(line) || COMMENT.test(line)
}

const COMMENT = /^\s*(\/\/|\/\*|\*( |\/|$)|# )/

/** Of a region, see `workshop/lessons/stub.ts`. */
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
