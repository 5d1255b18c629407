import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'csv-stringify/sync'
import { checksOf } from '../lessons/checks.ts'
import type { Lesson } from '../lessons/catalogue.ts'
import { scoreOf, type Score } from '../../protocol/score.ts'
import { resultsOf, wordOf, type Grade, type GradedPerson } from './grade.ts'

/** Writes `grades.csv` and `grades.json`, each of them atomically, and returns their paths. */
export function exportGrades(
  folder: string,
  graded: GradedPerson[],
  lessons: Lesson[],
  seed: number,
): string[] {
  return [
    replaceFile(join(folder, 'grades.csv'), csv(graded, lessons)),
    replaceFile(join(folder, 'grades.json'), json(graded, seed)),
  ]
}

/**
 * Returns a table with a row per person and a column per check. A cell is `passed`, `failed`, `not written` or `not run`.
 * If the lesson has no results, the cell is the outcome of the whole lesson: `error`, `stuck` or `not graded`. If the
 * lesson was not handed in, the cell is empty.
 */
export function csv(graded: GradedPerson[], lessons: Lesson[]): string {
  const columns = lessons.flatMap(({ number }) => [
    { number, title: `lesson ${number}`, cell: wordOf },
    { number, title: `lesson ${number} core`, cell: (grade: Grade) => scoreIn(grade).core.passed },
    {
      number,
      title: `lesson ${number} edge cases`,
      cell: (grade: Grade) => scoreIn(grade).edgeCases.passed,
    },
    ...checksOf(number).map(({ id }) => ({ number, title: id, cell: stateIn(id) })),
  ])
  const rows = graded.map(({ person, grades }) => [
    person.name,
    ...columns.map(({ number, cell }) => {
      const grade = grades.find(({ lesson }) => lesson === number)
      return grade ? cell(grade) : ''
    }),
    [person.problem, ...grades.map(({ problem }) => problem)].filter(Boolean).join('; '),
  ])
  return stringify([['person', ...columns.map(({ title }) => title), 'problem'], ...rows], {
    // Without a BOM, Excel does not read the file as UTF-8. Excel would also evaluate a name that begins with = as a formula.
    bom: true,
    escape_formulas: true,
  })
}

function json(graded: GradedPerson[], seed: number): string {
  const people = graded.map(({ person: { name, folder, problem }, grades }) => ({
    name,
    folder,
    ...(problem && { problem }),
    lessons: grades,
  }))
  return `${JSON.stringify({ gradedAt: new Date().toISOString(), seed, people }, null, 2)}\n`
}

function scoreIn(grade: Grade): Score {
  return scoreOf(resultsOf(grade))
}

function stateIn(id: string): (grade: Grade) => string {
  return (grade) => resultsOf(grade).find((check) => check.id === id)?.state ?? grade.outcome
}

function replaceFile(file: string, text: string): string {
  const next = `${file}.${process.pid}`
  try {
    writeFileSync(next, text)
    renameSync(next, file)
  } catch (error) {
    rmSync(next, { force: true })
    throw error
  }
  return file
}
