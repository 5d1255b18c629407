import { parseHunks, type Hunk } from './edit.ts'

/** A row of a table of mistakes: what is wrong, and what the proof expects of it. */
export type Row = {
  name: string
  /** The check that is the first to fail: `1.2a`. */
  fails: string
  /** Words of its message. */
  phrase: string
  /** Where somebody really made it: `honojs/vite-react-stack#24`. */
  seenIn?: string
  /** The variant, or the other mistake, that is edited; absent = the solution. */
  base?: string
  /** By file. None when the whole files stand in a folder beside the table. */
  edits: Map<string, Hunk[]>
}

/**
 * Reads a table of mistakes:
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
 * @throws Error with the number of the line when it is none of these
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
        if (end === -1) throw new Error('no line "```" ends it')
        addEdit(rows.at(-1), line, lines.slice(n + 1, end))
        n = end
      } else if (line !== '' && !line.startsWith('# ')) addFact(rows.at(-1), line)
    } catch (error) {
      throw new Error(`line ${at}: ${(error as Error).message}`, { cause: error })
    }
  }
  for (const { name, fails } of rows) {
    if (!fails) throw new Error(`${name} does not say which check it fails`)
  }
  return rows
}

function addEdit(row: Row | undefined, fence: string, lines: string[]): void {
  const [, file] = /^```diff (\S+)$/.exec(fence) ?? []
  if (!row || !file) throw new Error(`expected "\`\`\`diff FILE" below a name, got "${fence}"`)
  if (row.edits.has(file)) throw new Error(`${row.name} has two diffs of ${file}`)
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
