import { existsSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { expect, test } from 'vitest'
import { readmeOfExperiment, TABLE } from '../../workshop/experiment/experiment.ts'
import { measureAll } from '../../workshop/experiment/measure-all.ts'
import { rows, type Result, type Row } from '../../workshop/experiment/rows.ts'
import { markdownLine } from '../../workshop/experiment/table.ts'

// A learner may have lost it. In CI that is a failure.
const isLost = !existsSync(readmeOfExperiment()) && !process.env.CI

// Each way takes its seconds, and the slowest pace ten of them.
const TIMEOUT_MS = 900_000

test.skipIf(isLost)(
  'the table in the README of lesson 4 is what is measured',
  async () => {
    const inReadme = linesOf(TABLE.exec(readFileSync(readmeOfExperiment(), 'utf8'))![0])
    let differ = rows
    let guessing: Result | undefined
    // They are measured with a clock. A machine that is too busy gets other chances, at a pace that it can keep.
    for (const everyMs of [50, 50, 100, 200, 400]) {
      if (differ.length === 0) break
      const results = await measureAll(differ, { everyMs })
      guessing = results.find(({ row }) => isGuessed(row)) ?? guessing
      differ = results.map(({ row }) => row).filter((row) => !isIn(inReadme, results, row))
    }
    expect(differ).toEqual([])
    expect(inReadme.length).toBe(rows.length)
    // "There is no page before it has 1,024 bytes", of 160 each. Their order says so, whatever the clock.
    if (!guessing || 'why' in guessing || !inReadme.includes(markdownLine(guessing))) return
    const { head, events } = guessing
    expect(events.filter(({ written }) => written < head).length).toBeGreaterThanOrEqual(7)
  },
  TIMEOUT_MS,
)

function isGuessed({ browserApi, server }: Row): boolean {
  return browserApi === 'a page' && server === 'text/plain'
}

/** A proxy of another version may do something else, and one that is missing does nothing. */
function isIn(inReadme: string[], results: Result[], row: Row): boolean {
  const result = results.find((each) => each.row === row)!
  const line = markdownLine(result)
  const hop = line.split(' | ')[0]!
  const isSame = inReadme.some((known) => known.split(' | ')[0] === hop)
  return inReadme.includes(line) || !isSame
}

function linesOf(table: string): string[] {
  return table
    .trim()
    .split('\n')
    .filter((line) => /^\| (?!between|the last hop)/.test(line))
}
