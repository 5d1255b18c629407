import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checksOf } from '../lessons/checks.ts'
import { renderFailure } from '../verdict/render.ts'
import type { CheckResult, Verdict } from '../../protocol/verdict.ts'
import { readMessages, type Message } from '../mistakes/messages.ts'
import { filesOf, mistakeCalled, type Mistake } from '../mistakes/mistakes.ts'
import { ROOT } from '../root.ts'
import { painter } from '../terminal/colour.ts'

/**
 * Returns part of a file. Because slides quote files in this way, they cannot show code that does not exist.
 *
 *     solutions/01-raw-chunks/server.ts          the whole file
 *     solutions/01-raw-chunks/server.ts#1.1      its regions of task 1.1
 *     test/mistakes/lesson1/collects/server.ts   the solution's file with a mistake applied
 *
 * `excerpt` lists the lines to show. A line `…` selects all lines between its neighbours. Without an excerpt, everything is
 * shown. Common indentation is removed.
 *
 * @throws Error if the file, the region or a line does not exist
 */
export function quote(place: string, excerpt: string): string {
  const [path = '', region] = place.split('#')
  const lines = linesOf(path)
  const from = region === undefined ? lines : linesOfRegion(lines, region, path)
  const wanted = excerpt.split('\n').filter((line) => line.trim() !== '')
  const found = wanted.length === 0 ? from : between(from, wanted, place)
  return `${dedent(found).join('\n').replace(/^\n+/, '').trimEnd()}\n`
}

/**
 * Returns the message that a learner gets for a mistake such as `lesson1/never-cleans-up`, without the transcript and the
 * advice.
 *
 * @throws Error if there is no such mistake
 */
export function saysOf(address: string): string {
  const { mistake, message } = storedMessage(address)
  const { lesson, fails: id } = mistake
  const { seen, expected, at } = message
  const { rule } = checksOf(lesson).find((check) => check.id === id)!
  const story = { seen, expected }
  const failed: CheckResult = { id, rule, state: 'failed', story, ...(at && { at }), steps: [] }
  const verdict: Verdict = {
    lesson,
    outcome: 'fail',
    checks: [failed],
    typeErrors: [],
    seed: 1,
    printed: '',
  }
  const options = { paint: painter(false), width: SLIDE_WIDTH, workName: 'lessons' }
  const lines = renderFailure(failed, verdict, options).split('\n')
  const withoutAdvice = lines.slice(0, -1).flatMap((line) => folded(line.replace(/^ {2}/, '')))
  return `${withoutAdvice.join('\n').trim()}\n`
}

/** Folds a line that a terminal would show as it is, such as a rule or JSON. Keeps words whole where possible. */
function folded(line: string): string[] {
  if (line.length <= SLIDE_WIDTH) return [line]
  const space = line.lastIndexOf(' ', SLIDE_WIDTH)
  const end = space > SLIDE_WIDTH / 2 ? space : SLIDE_WIDTH
  return [line.slice(0, end), ...folded(line.slice(end).trimStart())]
}

/** The number of characters of code that fit on a line of a slide, so that no line of a message is wrapped again. */
const SLIDE_WIDTH = 74

/**
 * Returns the picture that belongs to the message for a mistake, as JSON.
 *
 * @throws Error if the message has no picture
 */
export function pictureOf(address: string): string {
  const { picture } = storedMessage(address).message
  if (!picture) throw new Error(`the message for ${address} has no picture`)
  return `${JSON.stringify(picture)}\n`
}

function storedMessage(address: string): { mistake: Mistake; message: Message } {
  const mistake = mistakeCalled(address)
  const message = readMessages(mistake).get(mistake.name)
  if (!message) throw new Error(`no message is stored for ${address}`)
  return { mistake, message }
}

/**
 * Returns rows of a table in a Markdown file, below the table's head.
 *
 * @param rows the rows to return, one per line. A line lists the beginnings of the row's cells: `nginx | `gzip on;``
 * @param columns the columns to return, counted from 1, such as `1` and `3`. `2+3` joins two columns. By default, returns all
 * @throws Error if there is no such row
 */
export function table(path: string, rows: string, columns: string[] = []): string {
  const lines = read(path)
  const wanted = rows.split('\n').filter((row) => row.trim() !== '')
  const found = wanted.flatMap((row) => {
    const beginnings = row.split('|').map((cell) => cell.trim())
    const these = lines.filter((line) => begins(line, beginnings))
    if (these.length === 0) throw new Error(`${path} has no row "${row}"`)
    return these
  })
  const first = lines.indexOf(found[0] ?? '')
  const line = lines.findLastIndex((each, index) => index < first && /^[|-]+$/.test(each))
  const [head = '', rule = ''] = lines.slice(line - 1, line + 1)
  if (columns.length === 0) return [head, rule, ...found].join('\n')
  const [shownHead, ...shown] = [head, ...found].map((row) => only(columns, row))
  return [shownHead, `|${'---|'.repeat(columns.length)}`, ...shown].join('\n')
}

/** Returns only these columns of a row. Joins the cells of a column such as `2+3`. */
function only(columns: string[], row: string): string {
  const cells = row.split('|').map((cell) => cell.trim())
  const shown = columns.map((column) =>
    column
      .split('+')
      .map((each) => cells[Number(each)])
      .filter(Boolean)
      .join(', '),
  )
  return `| ${shown.join(' | ')} |`
}

function begins(line: string, beginnings: string[]): boolean {
  const [before, ...cells] = line.split('|').map((cell) => cell.trim())
  return (
    before === '' && beginnings.every((beginning, index) => cells[index]?.startsWith(beginning))
  )
}

function read(path: string): string[] {
  try {
    return readFileSync(join(ROOT, path), 'utf8').replaceAll('\r\n', '\n').split('\n')
  } catch {
    throw new Error(`there is no file ${path}`)
  }
}

/** Returns the lines of a file, or of a mistake's file if the path begins with that of a mistake. */
export function linesOf(path: string): string[] {
  const [, address, name = ''] = /^test\/mistakes\/(lesson\d+\/[^/]+)\/(.+)$/.exec(path) ?? []
  if (!address) return read(path)
  const text = filesOf(mistakeCalled(address)).get(name)
  if (text === undefined) throw new Error(`${address} does not change ${name}`)
  return text.split('\n')
}

function linesOfRegion(lines: string[], region: string, path: string): string[] {
  const found: string[] = []
  let inside: string[] | undefined
  for (const line of lines) {
    const [, mark, rest = ''] = /^\s*(?:\/\/|#) #(region|endregion)\b\s*(.*)$/.exec(line) ?? []
    if (!mark) inside?.push(line)
    else if (mark === 'region' && rest.split(' ')[0] === region) inside = []
    else {
      // Regions of one task may be indented differently.
      found.push(...dedent(inside ?? []))
      inside = undefined
    }
  }
  if (found.length === 0) throw new Error(`${path} has no region ${region}`)
  return found
}

/** Returns the wanted lines in order. A wanted line `…` stands for everything up to the next wanted line. */
function between(lines: string[], wanted: string[], place: string): string[] {
  const found: string[] = []
  let at = 0
  let takesAll = false
  for (const line of wanted) {
    if (line.trim() === '…') {
      takesAll = true
      continue
    }
    const next = lines.findIndex((each, index) => index >= at && each.trim() === line.trim())
    if (next === -1) throw new Error(`${place} has no line "${line.trim()}" there`)
    if (found.length > 0 && !takesAll && next !== at) {
      found.push(`${indentation(lines[next]!)}// …`)
    }
    found.push(...lines.slice(takesAll ? at : next, next + 1))
    at = next + 1
    takesAll = false
  }
  return found
}

function dedent(lines: string[]): string[] {
  const widths = lines.filter((line) => line.trim() !== '').map((line) => indentation(line).length)
  const width = Math.min(...widths)
  return lines.map((line) => line.slice(width))
}

function indentation(line: string): string {
  return /^\s*/.exec(line)![0]
}
