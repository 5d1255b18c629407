import { existsSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { expect, test } from 'vitest'
import { readmeOfExperiment, TABLE } from '../../workshop/experiment/experiment.ts'
import { measureAll } from '../../workshop/experiment/measure-all.ts'
import { rows, type Result, type Row } from '../../workshop/experiment/rows.ts'
import { markdownLine } from '../../workshop/experiment/table.ts'

// Skip if a learner has deleted the README, but not in CI.
const isLost = !existsSync(readmeOfExperiment()) && !process.env.CI

// Each setup takes some seconds, and ten at the slowest pace.
const TIMEOUT_MS = 900_000

test.skipIf(isLost)(
  'the table in the README of lesson 4 matches the measurements',
  async () => {
    const inReadme = linesOf(TABLE.exec(readFileSync(readmeOfExperiment(), 'utf8'))![0])
    let differ = rows
    let guessing: Result | undefined
    // The measurements depend on the clock, so a busy machine gets more attempts at a slower pace.
    for (const everyMs of [50, 50, 100, 200, 400]) {
      if (differ.length === 0) break
      const results = await measureAll(differ, { everyMs })
      guessing = results.find(({ row }) => isGuessed(row)) ?? guessing
      differ = results.map(({ row }) => row).filter((row) => !isIn(inReadme, results, row))
    }
    expect(differ).toEqual([])
    expect(inReadme.length).toBe(rows.length)
    // "There is no page before it has 1,024 bytes": at least seven events of 160 bytes. The order of events proves it.
    if (!guessing || 'why' in guessing || !inReadme.includes(markdownLine(guessing))) return
    const { head, events } = guessing
    expect(events.filter(({ written }) => written < head).length).toBeGreaterThanOrEqual(7)
  },
  TIMEOUT_MS,
)

function isGuessed({ browserApi, server }: Row): boolean {
  return browserApi === 'a page' && server === 'text/plain'
}

/** Returns whether the README has the result of a row. Proxies that are missing or in another version are ignored. */
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
