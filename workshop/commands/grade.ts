import { parseGradeArgs } from '../class/grade-args.ts'
import { gradeClass, unitsOf, type Result, type Unit } from '../class/grade-class.ts'
import { isBegun, type GradedPerson } from '../class/grade.ts'
import { classSeed, clearGrades } from '../class/grade-cache.ts'
import { asTyped, type Person } from '../class/people.ts'
import { exportGrades } from '../class/export.ts'
import { cellOf, classTable, howToSeeWhy, notes, stops } from '../class/class-table.ts'
import type { Lesson } from '../lessons/catalogue.ts'
import { seedAskedFor } from '../lessons/seed.ts'
import { interruption } from '../process/interruption.ts'
import { machineProblem } from '../machine-problem.ts'
import { screen, type Screen } from '../terminal/screen.ts'
import { refuse } from './refuse.ts'

/**
 * `npm run grade -- FOLDERS…`: grades the work that a class handed in, prints a table and exports it.
 *
 * @returns 0 if everyone was graded, whatever their grades; 1 if someone could not be graded; 2 if there is nobody to
 *   grade, an argument is unknown or the tables cannot be written; 130 if the command was interrupted
 */
export async function grade(args: string[]): Promise<number> {
  const asked = await parseGradeArgs(args)
  if ('problem' in asked) {
    return refuse(asked.problem)
  }
  const askedSeed = seedAskedFor()
  if (typeof askedSeed === 'object') return refuse(askedSeed.problem)
  if (asked.isAgain) clearGrades()
  const seed = askedSeed ?? classSeed()
  const units = unitsOf(asked.people, asked.lessons)
  const out = screen(process.stdout)
  const began = performance.now()
  const results = await gradeAll(units, seed, out)
  if (results.length < units.length) {
    out.print(
      `\nStopped. ${results.length} of ${units.length} gradings are done and saved. Run the same command again to continue.`,
    )
    return 130
  }

  const seconds = Math.round((performance.now() - began) / 1000)
  const lessons = lessonsToShow(asked.lessons, results)
  const graded = asked.people.map((person) => gradesOf(person, lessons, results))
  const written = exported(() => exportGrades(asked.to, graded, lessons, seed))
  const kept = results.filter(({ isCached }) => isCached).length
  const paragraphs = [
    lessons.length > 0 ? [classTable(graded, lessons, out)] : [],
    notes(graded, out),
    stops(graded, lessons, out),
    howToSeeWhy(graded, seed),
    [
      `${counted(graded.length, 'hand-in')}, ${counted(units.length, 'grading')} in ${seconds} s, ${kept} of them from the cache · SEED=${seed}`,
      written.said,
    ],
  ]
  const filled = paragraphs.filter((lines) => lines.length > 0)
  out.print(`\n${filled.map((lines) => lines.join('\n')).join('\n\n')}`)
  if (!written.isDone) return 2
  return graded.every(isComplete) ? 0 : 1
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** Writes the tables and the feedback. The grades are not lost if that fails, because they are also printed. */
function exported(write: () => ReturnType<typeof exportGrades>): { said: string; isDone: boolean } {
  try {
    const { tables, feedback } = write()
    const said = `Written: ${tables.map(asTyped).join(', ')}, and a text for each person in ${asTyped(feedback)}`
    return { said, isDone: true }
  } catch (error) {
    const why = machineProblem(error)
    if (!why) throw error
    return { said: `The tables were not written. ${why}`, isDone: false }
  }
}

/** Grades everything and shows the progress. If it is interrupted, returns only the results so far. */
async function gradeAll(units: Unit[], seed: number, out: Screen): Promise<Result[]> {
  const { signal, stopListening } = interruption()
  const running = new Set<Unit>()
  let done = 0
  const stay = (): void => {
    const who = [...running].map(({ person, lesson }) => `${person.name} ${lesson.number}`)
    out.stay(`graded ${done} of ${units.length} · ${who.join(', ')}`)
  }
  try {
    return await gradeClass(units, {
      seed,
      signal,
      onStart(unit) {
        running.add(unit)
        stay()
      },
      onGrade({ unit, grade: given }) {
        running.delete(unit)
        done += 1
        stay()
        if (process.stdout.isTTY || !isBegun(given)) return
        const { person, lesson } = unit
        out.print(
          `${done}/${units.length} ${person.name}, lesson ${lesson.number}: ${cellOf(given)}`,
        )
      },
    })
  } finally {
    out.close()
    stopListening()
  }
}

/** Returns the lessons that somebody has begun. If there are none, returns those that were handed in. */
function lessonsToShow(lessons: Lesson[], results: Result[]): Lesson[] {
  const begun = results.filter((result) => isBegun(result.grade))
  const shown = begun.length > 0 ? begun : results
  return lessons.filter(({ number }) => shown.some(({ grade: given }) => given.lesson === number))
}

function gradesOf(person: Person, lessons: Lesson[], results: Result[]): GradedPerson {
  const grades = lessons.flatMap(({ number }) =>
    results
      .filter(({ unit }) => unit.person === person && unit.lesson.number === number)
      .map((result) => result.grade),
  )
  return { person, grades }
}

function isComplete({ person, grades }: GradedPerson): boolean {
  return !person.problem && grades.every(({ outcome }) => outcome !== 'not graded')
}
