import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { lessonNumbered, lessonsFolder } from '../lessons/catalogue.ts'
import { ROOT } from '../root.ts'
import { storeFolder } from '../lessons/store.ts'
import { measureAll } from './measure-all.ts'
import type { Measurement } from './measure.ts'
import { rows, type Row } from './rows.ts'
import { markdownTables, nameOf, textTable, type Result } from './table.ts'
import type { MeasuredVerdict } from './verdict.ts'

/**
 * `npm run lesson 4 measure`: asks what you predict, measures, and shows both.
 *
 * @param words `nginx` measures the rows of nginx alone; `write` writes the table of the lesson's README afresh
 */
export async function experiment(words: string[]): Promise<number> {
  const isForReadme = words[0] === 'write'
  const chosen = rows.filter(
    (row) =>
      isForReadme || words.every((word) => nameOf(row).toLowerCase().includes(word.toLowerCase())),
  )
  if (chosen.length === 0) {
    console.error(`Nothing to measure has "${words.join(' ')}" in its name. There is:`)
    for (const row of rows) console.error(`  ${nameOf(row)}`)
    return 2
  }
  const isAsked = process.stdin.isTTY && !isForReadme
  const predicted = isAsked ? await predictions(chosen) : new Map<Row, string>()
  if (!predicted) return 130
  console.log(`Measuring ${chosen.length} ways from a server to a client …`)
  const results = await measureAll(chosen)
  console.log(`\n${textTable(results, predicted)}\n`)
  console.log(
    `The median of how long an event was on its way. The chart: ${await saveChart(results)}`,
  )
  if (isForReadme) writeTable(results)
  return 0
}

const KEYS: Record<string, MeasuredVerdict> = {
  p: 'passes',
  w: 'head waits',
  l: 'late',
  h: 'holds',
}

/** What is typed for each row; undefined when somebody leaves instead, with Ctrl-C or Ctrl-D. */
async function predictions(chosen: Row[]): Promise<Map<Row, string> | undefined> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  const predicted = new Map<Row, string>()
  console.log(
    'What becomes of a stream of small events? Enter leaves one out; q ends the questions.\n',
  )
  console.log(
    `  ${Object.entries(KEYS)
      .map(([key, verdict]) => `${key} ${verdict}`)
      .join('   ')}\n`,
  )
  try {
    for (const row of chosen) {
      const answer = (await terminal.question(`${nameOf(row)} ? `)).trim().toLowerCase()
      if (answer === 'q') break
      if (KEYS[answer]) predicted.set(row, KEYS[answer])
    }
    return predicted
  } catch {
    return undefined
  } finally {
    terminal.close()
  }
}

async function saveChart(results: Result[]): Promise<string> {
  // Loaded here: they take their time.
  const [{ chart }, { Window }] = await Promise.all([import('./chart.ts'), import('happy-dom')])
  mkdirSync(storeFolder, { recursive: true })
  const file = join(storeFolder, 'lesson-4.svg')
  const { document, happyDOM } = new Window()
  const measured = results.filter((result): result is Measurement => 'verdict' in result)
  writeFileSync(file, chart(measured, { document }).outerHTML)
  await happyDOM.close()
  return file.slice(ROOT.length + 1)
}

/** The marks in the README between which the table stands. */
export const TABLE = /(?<=<!-- measured -->\n)[\s\S]*?(?=<!-- \/measured -->)/

export function readmeOfExperiment(): string {
  return join(lessonsFolder, lessonNumbered(4)!.folder, 'README.md')
}

function writeTable(results: Result[]): void {
  const file = readmeOfExperiment()
  const text = readFileSync(file, 'utf8')
  writeFileSync(
    file,
    text.replace(TABLE, () => `\n${markdownTables(results)}\n\n`),
  )
}
