import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline/promises'
import { lessonNumbered, lessonsFolder } from '../lessons/catalogue.ts'
import { ROOT } from '../root.ts'
import { storeFolder } from '../store.ts'
import { measureAll, measureWithPatience } from './measure-all.ts'
import { rows, type Result, type Row } from './rows.ts'
import { markdownLine, markdownTables, nameOf, textTable } from './table.ts'
import { VERDICTS, type Measured, type MeasuredVerdict } from '../../protocol/experiment.ts'

/**
 * `npm run lesson 4 measure`: asks what you predict, measures, and shows both.
 *
 * @param args `nginx` measures the rows of nginx alone, `nginx HTTP/1.0` some of them; `write` measures all and
 *   writes the table of the lesson's README afresh
 */
export async function experiment(args: string[]): Promise<number> {
  const isForReadme = args[0] === 'write'
  const filter = isForReadme ? [] : args
  const chosen = rows.filter((row) => filter.every((word) => isNamed(row, word)))
  if (chosen.length === 0) {
    console.error(`Nothing to measure has "${args.join(' ')}" in its name. There is:`)
    for (const row of rows) console.error(`  ${nameOf(row)}`)
    return 2
  }
  const isAsked = process.stdin.isTTY && !isForReadme
  const predicted = isAsked ? await predictions(chosen) : new Map<Row, string>()
  if (!predicted) return 130
  const ways = chosen.length === 1 ? 'one way' : `${chosen.length} ways`
  console.log(`Measuring ${ways} from a server to a client …`)
  const results = isForReadme
    ? await measureWithPatience(chosen, isInReadme)
    : await measureAll(chosen)
  console.log(`\n${textTable(results, predicted)}\n`)
  const saved = await saveChart(results, filter)
  console.log(`The median of how long an event was on its way. The chart: ${saved}`)
  if (isForReadme) console.log(`The table is now in ${writeTable(results)}`)
  return 0
}

/** Whether a word is in the name of a row, or in the name that `predict.ts` of the lesson has for such a way. */
function isNamed(row: Row, word: string): boolean {
  const [, version] = /(?:proxy_http_version |http: ')(1\.\d)/.exec(row.setting) ?? []
  const names = [
    nameOf(row),
    ...(version ? [`HTTP/${version}`] : []),
    ...(row.server.includes('X-Accel-Buffering: no') ? ['told not to buffer'] : []),
  ]
  return names.join(' ').toLowerCase().includes(word.toLowerCase().replace(/,$/, ''))
}

/** What the words mean. */
const MEANINGS: Record<MeasuredVerdict, string> = {
  passes: 'the head is there before there is an event, then each event before the next one',
  'head waits': 'the head comes with the first event, then each event before the next one',
  late: 'an event comes some time after it was written, even when nothing follows it',
  behind: 'an event comes only when others follow it, the last with the end',
  holds: 'the events wait for the end, or until there are enough of them to fill a buffer',
}

const KEYS: Record<string, MeasuredVerdict> = {
  p: 'passes',
  w: 'head waits',
  l: 'late',
  b: 'behind',
  h: 'holds',
}

/** What is typed for each row; undefined when somebody leaves instead, with Ctrl-C or Ctrl-D. */
async function predictions(chosen: Row[]): Promise<Map<Row, string> | undefined> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  const predicted = new Map<Row, string>()
  console.log('What becomes of a stream of small events, with this between server and client?\n')
  for (const [key, verdict] of Object.entries(KEYS)) {
    console.log(`  ${key}  ${verdict.padEnd(10)}  ${MEANINGS[verdict]}`)
  }
  console.log('\nA letter or the word. Enter leaves one out; q ends the questions.\n')
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

/** Asks until the answer is one: a verdict, `q`, or nothing. */
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
    console.log(`"${answer}" is none of ${Object.keys(KEYS).join(', ')} and q.`)
  }
}

/** @param filter what a chart of some ways is named after, so that the one of all ways stays */
async function saveChart(results: Result[], filter: string[]): Promise<string> {
  // Loaded here: they take their time.
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

function isInReadme(result: Result): boolean {
  return readFileSync(readmeOfExperiment(), 'utf8').split('\n').includes(markdownLine(result))
}

/** The marks in the README between which the table stands. */
export const TABLE = /(?<=<!-- measured -->\n)[\s\S]*?(?=<!-- \/measured -->)/

export function readmeOfExperiment(): string {
  return join(lessonsFolder, lessonNumbered(4)!.folder, 'README.md')
}

/** @returns where the table is */
function writeTable(results: Result[]): string {
  const file = readmeOfExperiment()
  const text = readFileSync(file, 'utf8')
  writeFileSync(
    file,
    text.replace(TABLE, () => `\n${markdownTables(results)}\n\n`),
  )
  return file.slice(ROOT.length + 1)
}
