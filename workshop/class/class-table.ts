import { visible } from '../../wire/visible.ts'
import type { Lesson } from '../lessons/catalogue.ts'
import type { Hue, Paint } from '../terminal/colour.ts'
import { shellWord } from '../terminal/shell-word.ts'
import { taskOf } from '../lessons/task-of.ts'
import { truncate, wrap } from '../terminal/text.ts'
import { scoreOf } from '../../protocol/score.ts'
import { resultsOf, stoppedBy, wordOf, type Grade, type GradedPerson } from './grade.ts'
import { asTyped, type Person } from './people.ts'
import { totalOf } from './totals.ts'

/**
 * Returns a table with a row for each person, a column for each lesson, and a last row with the totals. The table is split
 * into blocks that fit the width.
 */
export function classTable(
  graded: GradedPerson[],
  lessons: Lesson[],
  { paint, width }: { paint: Paint; width: number },
): string {
  const names = ['', ...graded.map(({ person }) => person.name), '', 'passed']
  const nameWidth = Math.max(...names.map((name) => name.length))
  const columns = lessons.map(({ number }) => {
    const gradeIn = ({ grades }: GradedPerson): Grade | undefined =>
      grades.find(({ lesson }) => lesson === number)
    const { passed, handedIn } = totalOf(number, graded)
    const cells = [
      `lesson ${number}`,
      ...graded.map((each) => (each.person.problem ? 'not graded' : cellOf(gradeIn(each)))),
      '',
      `${passed} of ${handedIn}`,
    ]
    const hues: Hue[] = ['quiet', ...graded.map((each) => hueOf(gradeIn(each))), 'quiet', 'strong']
    return { cells, hues, width: Math.max(...cells.map((cell) => cell.length)) }
  })
  const blocks: (typeof columns)[] = [[]]
  for (const column of columns) {
    const block = blocks.at(-1)!
    const used = block.reduce((sum, one) => sum + one.width + 2, nameWidth)
    if (block.length > 0 && used + 2 + column.width > width) blocks.push([column])
    else block.push(column)
  }
  return blocks
    .map((block) =>
      names
        .map((name, row) => {
          const cells = block.map((column) =>
            paint(column.hues[row]!, column.cells[row]!.padEnd(column.width)),
          )
          return [name.padEnd(nameWidth), ...cells].join('  ').trimEnd()
        })
        .join('\n'),
    )
    .join('\n\n')
}

/** Returns the notes that do not fit into the table: the reasons for missing grades, and the files that were left out. */
export function notes(graded: GradedPerson[], { width }: { width: number }): string[] {
  return graded
    .flatMap(({ person, grades }) => [
      ...(person.problem ? [`${person.name}: not graded: ${person.problem}`] : []),
      ...(person.leftOut ?? []).map((what) => `${person.name}: left out: ${what}`),
      ...grades.flatMap((grade) => [
        ...(grade.problem
          ? [`${person.name}, lesson ${grade.lesson}: ${told(grade, person)}`]
          : []),
        ...grade.leftOut.map((what) => `${person.name}, lesson ${grade.lesson}: left out: ${what}`),
      ]),
    ])
    .flatMap((note) => {
      const line = visible(note.replaceAll(/\s+/g, ' '))
      return wrap(truncate(line, LONGEST_NOTE * width), width, 2)
    })
}

/** The number of lines of the longest note. */
const LONGEST_NOTE = 4

/** Tells the problem of a grade. The place in front of it can be opened, because it is a path of this machine. */
function told({ problem, at }: Grade, { folder }: Person): string {
  return at ? `${at.replace(/^lessons/, () => asTyped(folder))}: ${problem}` : problem!
}

/** Returns a line for each check that stops people, so that the instructor can talk about it. */
export function stops(
  graded: GradedPerson[],
  lessons: Lesson[],
  { width }: { width: number },
): string[] {
  const lines = lessons
    .flatMap(({ number }) => totalOf(number, graded).stoppedBy)
    .flatMap(({ check: { id, rule, state }, people }) => {
      const what =
        state === 'not written' ? `task ${taskOf(id)}, not written yet` : `${id}, ${rule}`
      const who = people.length === 1 ? '1 person' : `${people.length} people`
      return wrap(`${what}: ${who} (${listOf(people)})`, width - 2, 4).map((line) => `  ${line}`)
    })
  return lines.length > 0 ? ['Stopped by', ...lines] : []
}

/** Lists names, but not more than fit into a line. */
function listOf(names: string[]): string {
  const shown = names.slice(0, 5)
  const more = names.length - shown.length
  return [...shown, ...(more > 0 ? [`${more} more`] : [])].join(', ')
}

/** Returns the command that shows why a check failed, with the first failure as the example. */
export function howToSeeWhy(graded: GradedPerson[], seed: number): string[] {
  for (const { person, grades } of graded) {
    const grade = grades.find((each) => stoppedBy(each)?.state === 'failed')
    if (!grade) continue
    return [
      `To see why somebody failed, for example ${person.name}: SEED=${seed} npm test -- lesson${grade.lesson} ${shellWord(asTyped(person.folder))}`,
    ]
  }
  return []
}

/** Abbreviates a grade: `12/20 not yet · 1.3a`, or `20/20 passed · 3/9 edge`. */
export function cellOf(grade: Grade | undefined): string {
  if (!grade) return '-'
  const results = resultsOf(grade)
  const word = wordOf(grade)
  const stop = stoppedBy(grade)
  const first = stop ? ` · ${stop.id}` : ''
  if (results.length === 0) return word
  const { core, edgeCases } = scoreOf(results)
  const edge = edgeCases.passed > 0 ? ` · ${edgeCases.passed}/${edgeCases.total} edge` : ''
  return `${core.passed}/${core.total} ${word}${first}${edge}`
}

function hueOf(grade: Grade | undefined): Hue {
  if (!grade) return 'quiet'
  return grade.outcome === 'pass' ? 'good' : 'bad'
}
