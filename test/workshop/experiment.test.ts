import { existsSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { expect, test } from 'vitest'
import { readmeOfExperiment, TABLE } from '../../workshop/experiment/experiment.ts'
import { measureWithPatience } from '../../workshop/experiment/measure-all.ts'
import { rows, type Result } from '../../workshop/experiment/rows.ts'
import { markdownLine, markdownTables } from '../../workshop/experiment/table.ts'

// Skip if a learner has deleted the README, but not in CI.
const isLost = !existsSync(readmeOfExperiment()) && !process.env.CI

// Each setup takes some seconds, and ten seconds at the slowest pace.
const TIMEOUT_MS = 900_000

test.skipIf(isLost)(
  'the tables in the README of lesson 4 match the measurements',
  async () => {
    const inReadme = TABLE.exec(readFileSync(readmeOfExperiment(), 'utf8'))![0].trim().split('\n')
    const hops = new Set(inReadme.map(hopOf))
    // Ignore proxies that are missing or that have another version.
    const isComparable = (line: string): boolean => hops.has(hopOf(line))
    const results = await measureWithPatience(rows, (result) => {
      const line = markdownLine(result)
      return inReadme.includes(line) || !isComparable(line)
    })
    const measured = markdownTables(results)
      .split('\n')
      .map((line, n) => (isComparable(line) ? line : inReadme[n]))
    expect(inReadme).toEqual(measured)
    // "There is no page before it has 1,024 bytes": at least seven events of 160 bytes. The order of events proves it.
    const guessing = results.find(isGuessed)
    if (!guessing || 'why' in guessing || !inReadme.includes(markdownLine(guessing))) return
    const { head, events } = guessing
    expect(events.filter(({ written }) => written < head).length).toBeGreaterThanOrEqual(7)
  },
  TIMEOUT_MS,
)

function isGuessed({ row: { browserApi, server } }: Result): boolean {
  return browserApi === 'a page' && server === 'text/plain'
}

/** Returns the first cell of a line in the table: `| nginx 1.22.1`. */
function hopOf(line: string): string {
  return line.split(' | ')[0]!
}
