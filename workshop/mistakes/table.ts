import { parseHunks, type Hunk } from './edit.ts'

/** A row in a table of mistakes: the edits, and the failure that the proof expects. */
export type Row = {
  name: string
  /** The first check that must fail: `1.2a`. */
  fails: string
  /** Words that the message of this check must contain. */
  phrase: string
  /** A real project in which somebody made this mistake: `honojs/vite-react-stack#24`. */
  seenIn?: string
  /** The variant or other mistake that the edits apply to. If absent, they apply to the solution. */
  base?: string
  /** The edits to each file. Empty if a folder next to the table contains whole files instead. */
  edits: Map<string, Hunk[]>
}

/**
 * Parses a table of mistakes:
 *
 *     ## collects
 *
 *     fails 1.2a: no line reached the client
 *     seen in honojs/vite-react-stack#24
 *
 *     ```diff server.ts
 *     -    res.write(line)
 *     +    lines.push(line)
 *     ```
 *
 * @throws Error with the line number if a line has none of these forms
 */
export function parseTable(text: string): Row[] {
  const rows: Row[] = []
  const lines = text.replaceAll('\r\n', '\n').split('\n')
  for (let n = 0; n < lines.length; n += 1) {
    const line = lines[n]!
    const at = n + 1
    try {
      const [, name] = /^## ([a-z0-9-]+)$/.exec(line) ?? []
      if (name) rows.push({ name, fails: '', phrase: '', edits: new Map() })
      else if (line.startsWith('```')) {
        const end = lines.indexOf('```', n + 1)
        if (end === -1) throw new Error('the diff is not closed by "```"')
        addEdit(rows.at(-1), line, lines.slice(n + 1, end))
        n = end
      } else if (line !== '' && !line.startsWith('# ')) addFact(rows.at(-1), line)
    } catch (error) {
      throw new Error(`line ${at}: ${(error as Error).message}`, { cause: error })
    }
  }
  for (const { name, fails } of rows) {
    if (!fails) throw new Error(`${name} does not say which check fails`)
  }
  return rows
}

function addEdit(row: Row | undefined, fence: string, lines: string[]): void {
  const [, file] = /^```diff (\S+)$/.exec(fence) ?? []
  if (!row || !file) throw new Error(`expected "\`\`\`diff FILE" below a name, got "${fence}"`)
  if (row.edits.has(file)) throw new Error(`${row.name} has two diffs for ${file}`)
  row.edits.set(file, parseHunks(lines))
}

function addFact(row: Row | undefined, line: string): void {
  const [, fails, phrase] = /^fails (\d+\.\d+[a-z]): (.+)$/.exec(line) ?? []
  const [, seenIn] = /^seen in (.+)$/.exec(line) ?? []
  const [, base] = /^base: ([a-z0-9-]+)$/.exec(line) ?? []
  if (row && fails && phrase) Object.assign(row, { fails, phrase })
  else if (row && seenIn) row.seenIn = seenIn
  else if (row && base) row.base = base
  else throw new Error(`expected "fails CHECK: PHRASE", "seen in …" or "base: …", got "${line}"`)
}
