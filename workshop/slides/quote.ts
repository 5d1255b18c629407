import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../root.ts'

/**
 * A piece of a file, so that no slide can show what is not there.
 *
 *     solutions/01-raw-chunks/server.ts          the file
 *     solutions/01-raw-chunks/server.ts#1.1      what stands in its regions of task 1.1
 *
 * Of that, `excerpt` takes what begins with its first line and ends with its last one, if it has any: `…` on a line
 * of its own stands for all that lies between. What is left of the indentation of the first line goes.
 *
 * @throws Error when the file, the region or a line is not there
 */
export function quote(place: string, excerpt: string): string {
  const [path = '', region] = place.split('#')
  const lines = withoutHeader(read(path))
  const from = region === undefined ? lines : linesOfRegion(lines, region, path)
  const wanted = excerpt.split('\n').filter((line) => line.trim() !== '')
  const found = wanted.length === 0 ? from : between(from, wanted, place)
  return `${dedent(found).join('\n').trim()}\n`
}

/**
 * Rows of a table between two marks, `<!-- measured -->` and `<!-- /measured -->`, of a Markdown file.
 *
 * @param place `lessons/04-buffering/README.md#measured`
 * @param rows how the rows begin that are taken, a line each
 * @throws Error when there is no such table, or no such row
 */
export function table(place: string, rows: string): string {
  const [path = '', mark = ''] = place.split('#')
  const [, marked] = read(path)
    .join('\n')
    .split(new RegExp(`<!-- /?${mark} -->`))
  const [head, line, ...all] = (marked ?? '').trim().split('\n')
  if (head === undefined || line === undefined) throw new Error(`${path} has no table "${mark}"`)
  const wanted = rows.split('\n').filter((row) => row.trim() !== '')
  const found = wanted.map((beginning) => {
    const these = all.filter((row) => row.startsWith(`| ${beginning.trim()}`))
    if (these.length === 0) throw new Error(`the table of ${path} has no row "${beginning}"`)
    return these
  })
  return [head, line, ...found.flat()].join('\n')
}

function read(path: string): string[] {
  try {
    return readFileSync(join(ROOT, path), 'utf8').replaceAll('\r\n', '\n').split('\n')
  } catch {
    throw new Error(`there is no file ${path}`)
  }
}

/** What a mistake says of itself is for the proof. */
function withoutHeader(lines: string[]): string[] {
  const first = lines.findIndex((line) => !/^(\/\/|#) (fails|says|seen in): /.test(line))
  return lines.slice(first)
}

function linesOfRegion(lines: string[], region: string, path: string): string[] {
  const found: string[] = []
  let isInside = false
  for (const line of lines) {
    const [, mark, rest = ''] = /^\s*(?:\/\/|#) #(region|endregion)\b\s*(.*)$/.exec(line) ?? []
    if (mark) isInside = mark === 'region' && rest.split(' ')[0] === region
    else if (isInside) found.push(line)
  }
  if (found.length === 0) throw new Error(`${path} has no region ${region}`)
  return found
}

/** Follows the wanted lines through the others; where `…` stands, everything up to the next wanted one is taken. */
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
    if (found.length > 0 && !takesAll && next !== at) found.push(`${indentation(line)}// …`)
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
