import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline/promises'
import { lessonNumbered, lessonsFolder } from '../lessons/catalogue.ts'
import { ROOT } from '../root.ts'
import { storeFolder } from '../store.ts'
import { measureAll, measureWithPatience } from './measure-all.ts'
import { rows, type Result, type Row } from './rows.ts'
import { markdownLine, markdownTables, nameOf, textTable } from './table.ts'
import {
  MEANINGS,
  VERDICTS,
  type Measured,
  type MeasuredVerdict,
} from '../../protocol/experiment.ts'

/**
 * `npm run lesson 4 measure` asks for your predictions, measures, and compares the results with the predictions.
 *
 * @param args a filter: `nginx` measures only the setups with nginx, and `nginx HTTP/1.0` only some of those. `write`
 *   measures everything and replaces the table in the lesson's README
 */
export async function experiment(args: string[]): Promise<number> {
  const isForReadme = args[0] === 'write'
  const filter = isForReadme ? [] : args
  const chosen = rows.filter((row) => filter.every((word) => isNamed(row, word)))
  if (chosen.length === 0) {
    console.error(`No setup matches "${args.join(' ')}". The setups are:`)
    for (const row of rows) console.error(`  ${nameOf(row)}`)
    return 2
  }
  const isAsked = process.stdin.isTTY && !isForReadme
  const predicted = isAsked ? await predictions(chosen) : new Map<Row, string>()
  if (!predicted) return 130
  const setups = chosen.length === 1 ? 'one setup' : `${chosen.length} setups`
  console.log(`Measuring ${setups} …`)
  const results = isForReadme
    ? await measureWithPatience(chosen, isInReadme)
    : await measureAll(chosen)
  console.log(`\n${textTable(results, predicted)}\n`)
  const saved = await saveChart(results, filter)
  console.log(`The times are the median delay of an event. The chart is in ${saved}`)
  if (isForReadme) console.log(`The table in ${writeTable(results)} has been updated.`)
  return 0
}

/** Returns whether the name of a row, or its name in the lesson's `predict.ts`, contains a word. */
function isNamed(row: Row, word: string): boolean {
  const [, version] = /(?:proxy_http_version |http: ')(1\.\d)/.exec(row.setting) ?? []
  const names = [
    nameOf(row),
    ...(version ? [`HTTP/${version}`] : []),
    ...(row.server.includes('X-Accel-Buffering: no') ? ['told not to buffer'] : []),
  ]
  return names.join(' ').toLowerCase().includes(word.toLowerCase().replace(/,$/, ''))
}

const KEYS: Record<string, MeasuredVerdict> = {
  p: 'passes',
  w: 'head waits',
  l: 'late',
  b: 'behind',
  h: 'holds',
}

/** Asks for a prediction for each row. Returns undefined after Ctrl-C or Ctrl-D. */
async function predictions(chosen: Row[]): Promise<Map<Row, string> | undefined> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  const predicted = new Map<Row, string>()
  console.log('What happens to a stream of small events in each of these setups?\n')
  for (const [key, verdict] of Object.entries(KEYS)) {
    console.log(`  ${key}  ${verdict.padEnd(10)}  ${MEANINGS[verdict]}`)
  }
  console.log(
    '\nType the letter or the word. Press Enter to skip a setup, or q to stop predicting.\n',
  )
  try {
    for (const [n, row] of chosen.entries()) {
      const answer = await answerTo(terminal, `${n + 1} of ${chosen.length}  ${nameOf(row)}: `)
      if (answer === 'q') break
      if (answer) predicted.set(row, answer)
    }
    return predicted
  } catch {
    return undefined
  } finally {
    terminal.close()
  }
}

/** Asks until the answer is valid: a verdict, `q`, or nothing. */
async function answerTo(
  terminal: Interface,
  question: string,
): Promise<MeasuredVerdict | 'q' | undefined> {
  for (;;) {
    const answer = (await terminal.question(question)).trim().toLowerCase()
    const verdict = KEYS[answer] ?? VERDICTS.find((word) => word === answer)
    if (verdict) return verdict
    if (answer === 'q') return answer
    if (answer === '') return undefined
    console.log(
      `"${answer}" is not a valid answer. Type one of ${Object.keys(KEYS).join(', ')} or q.`,
    )
  }
}

/**
 * Saves a chart of the results and returns its path.
 *
 * @param filter becomes part of the file's name, so that a filtered chart does not replace the complete one
 */
async function saveChart(results: Result[], filter: string[]): Promise<string> {
  // Load these modules lazily, because they are slow to load.
  const [{ chart }, { Window }] = await Promise.all([import('./chart.ts'), import('happy-dom')])
  mkdirSync(storeFolder, { recursive: true })
  const name = ['lesson-4', ...filter].join('-').replace(/[^\w.]+/g, '-')
  const file = join(storeFolder, `${name}.svg`)
  const { document, happyDOM } = new Window()
  const measured = results.filter((result): result is Result & Measured => 'verdict' in result)
  writeFileSync(file, chart(measured, { document }).outerHTML)
  await happyDOM.close()
  return file.slice(ROOT.length + 1)
}

/** Returns whether the README contains this result's line. */
function isInReadme(result: Result): boolean {
  return readFileSync(readmeOfExperiment(), 'utf8').split('\n').includes(markdownLine(result))
}

/** Matches the text between the table's markers in the README. */
export const TABLE = /(?<=<!-- measured -->\n)[\s\S]*?(?=<!-- \/measured -->)/

export function readmeOfExperiment(): string {
  return join(lessonsFolder, lessonNumbered(4)!.folder, 'README.md')
}

/** Replaces the table in the README and returns the path of the file. */
function writeTable(results: Result[]): string {
  const file = readmeOfExperiment()
  const text = readFileSync(file, 'utf8')
  writeFileSync(
    file,
    text.replace(TABLE, () => `\n${markdownTables(results)}\n\n`),
  )
  return file.slice(ROOT.length + 1)
}
