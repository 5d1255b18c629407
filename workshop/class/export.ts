import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'csv-stringify/sync'
import { checksOf } from '../lessons/checks.ts'
import type { Lesson } from '../lessons/catalogue.ts'
import { scoreOf, type Score } from '../../protocol/score.ts'
import { feedbackFor } from './feedback.ts'
import { FEEDBACK } from './people.ts'
import { totalOf } from './totals.ts'
import { resultsOf, wordOf, type Grade, type GradedPerson } from './grade.ts'

/**
 * Writes `grades.csv`, `grades.json`, and a text for each person in `feedback/`, each of them atomically. Makes the folder
 * if it is missing.
 *
 * @returns the paths of the tables, and of the folder with the texts
 */
export function exportGrades(
  folder: string,
  graded: GradedPerson[],
  lessons: Lesson[],
  seed: number,
): { tables: string[]; feedback: string } {
  const feedback = join(folder, FEEDBACK)
  mkdirSync(folder, { recursive: true })
  const tables = [
    replaceFile(join(folder, 'grades.csv'), csv(graded, lessons)),
    replaceFile(join(folder, 'grades.json'), json(graded, lessons, seed)),
  ]
  mkdirSync(feedback, { recursive: true })
  const people = graded.filter(({ person }) => !person.isStray)
  const names = fileNames(people.map(({ person }) => person.name))
  for (const [n, each] of people.entries()) {
    replaceFile(join(feedback, `${names[n]}.txt`), feedbackFor(each))
  }
  return { tables, feedback }
}

/** Turns names into names of files that every file system accepts. No two of them differ only in case. */
function fileNames(names: string[]): string[] {
  const taken = new Set<string>()
  return names.map((name) => {
    const base = name.replaceAll(/[/\\:*?"<>|]/g, '-').slice(0, LONGEST_NAME)
    let free = base
    for (let n = 2; taken.has(free.toLowerCase()); n += 1) free = `${base} ${n}`
    taken.add(free.toLowerCase())
    return free
  })
}

/** The length of a name whose bytes, with an extension, every file system accepts. */
const LONGEST_NAME = 60

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
    [person.problem, ...grades.map(problemIn)].filter(Boolean).join('; '),
  ])
  return stringify([['person', ...columns.map(({ title }) => title), 'problem'], ...rows], {
    // Without a BOM, Excel does not read the file as UTF-8. Excel would also evaluate a name that begins with = as a formula.
    bom: true,
    escape_formulas: true,
  })
}

function problemIn({ problem, at }: Grade): string | undefined {
  return at ? `${at}: ${problem}` : problem
}

function json(graded: GradedPerson[], lessons: Lesson[], seed: number): string {
  const people = graded.map(({ person: { name, folder, problem }, grades }) => ({
    name,
    folder,
    ...(problem && { problem }),
    lessons: grades,
  }))
  const totals = lessons.map(({ number }) => {
    const { stoppedBy, ...total } = totalOf(number, graded)
    return { ...total, stoppedBy: stoppedBy.map((stop) => ({ ...stop, check: stop.check.id })) }
  })
  return `${JSON.stringify({ gradedAt: new Date().toISOString(), seed, totals, people }, null, 2)}\n`
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
