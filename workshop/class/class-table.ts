import { visible } from '../../wire/visible.ts'
import type { Lesson } from '../lessons/catalogue.ts'
import type { Hue, Paint } from '../terminal/colour.ts'
import { shellWord } from '../terminal/shell-word.ts'
import { truncate } from '../terminal/text.ts'
import { decisive, scoreOf } from '../../protocol/score.ts'
import { resultsOf, wordOf, type Grade, type GradedPerson } from './grade.ts'
import { asTyped } from './people.ts'

/** Returns a table with a row per person and a column per lesson, split into blocks that fit the width. */
export function classTable(
  graded: GradedPerson[],
  lessons: Lesson[],
  { paint, width }: { paint: Paint; width: number },
): string {
  const names = ['', ...graded.map(({ person }) => person.name)]
  const nameWidth = Math.max(...names.map((name) => name.length))
  const columns = lessons.map(({ number }) => {
    const grades = graded.map(({ grades: all }) => all.find(({ lesson }) => lesson === number))
    const cells = [`lesson ${number}`, ...grades.map(cellOf)]
    const hues: Hue[] = ['quiet', ...grades.map(hueOf)]
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
    .flatMap(({ person: { name, problem }, grades }) => [
      ...(problem ? [`${name}: not graded: ${problem}`] : []),
      ...grades.flatMap((grade) => [
        ...(grade.problem ? [`${name}, lesson ${grade.lesson}: ${grade.problem}`] : []),
        ...grade.leftOut.map((what) => `${name}, lesson ${grade.lesson}: left out: ${what}`),
      ]),
    ])
    .map((note) => truncate(visible(note.replaceAll(/\s+/g, ' ')), width))
}

/** Returns a line with the checks that people failed first, so that the instructor can talk about them. */
export function failedFirst(graded: GradedPerson[]): string[] {
  const counts = new Map<string, number>()
  for (const { grades } of graded) {
    for (const grade of grades) {
      const check = firstFailed(grade)
      if (check?.state === 'failed') counts.set(check.id, (counts.get(check.id) ?? 0) + 1)
    }
  }
  const most = [...counts].toSorted(([, a], [, b]) => b - a).slice(0, 5)
  if (most.length === 0) return []
  return [`Failed first: ${most.map(([id, count]) => `${id} by ${count}`).join(', ')}`]
}

/** Returns the command that shows why a check failed, with the first failure as the example. */
export function howToSeeWhy(graded: GradedPerson[], seed: number): string[] {
  for (const { person, grades } of graded) {
    const grade = grades.find((each) => firstFailed(each)?.state === 'failed')
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
  const failed = word === 'not yet' && firstFailed(grade)
  const first = failed ? ` · ${failed.id}` : ''
  if (results.length === 0) return word
  const { core, edgeCases } = scoreOf(results)
  const edge = edgeCases.passed > 0 ? ` · ${edgeCases.passed}/${edgeCases.total} edge` : ''
  return `${core.passed}/${core.total} ${word}${first}${edge}`
}

function hueOf(grade: Grade | undefined): Hue {
  if (!grade) return 'quiet'
  return grade.outcome === 'pass' ? 'good' : 'bad'
}

function firstFailed(grade: Grade): Grade['checks'][number] | undefined {
  const failed = resultsOf(grade).filter(({ state }) => state !== 'passed' && state !== 'not run')
  return decisive(failed)[0]
}
