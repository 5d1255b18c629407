import { stoppedBy, type GradedCheck, type GradedPerson } from './grade.ts'

/** How a class did in one lesson. */
export type Total = {
  lesson: number
  /** The number of people who have handed in the lesson. */
  handedIn: number
  passed: number
  /** The checks that stop people. The check that stops most people comes first. */
  stoppedBy: { check: GradedCheck; people: string[] }[]
}

/** Returns how a class did in a lesson. People who have not begun the lesson are not stopped by its first check. */
export function totalOf(lesson: number, graded: GradedPerson[]): Total {
  const entries = graded.flatMap(({ person, grades }) =>
    grades.filter((grade) => grade.lesson === lesson).map((grade) => ({ person, grade })),
  )
  const stops = new Map<string, { check: GradedCheck; people: string[] }>()
  for (const { person, grade } of entries) {
    const check = stoppedBy(grade)
    if (!check) continue
    const key = `${check.id} ${check.state}`
    const stop = stops.get(key) ?? { check, people: [] }
    stop.people.push(person.name)
    stops.set(key, stop)
  }
  return {
    lesson,
    handedIn: entries.length,
    passed: entries.filter(({ grade }) => grade.outcome === 'pass').length,
    stoppedBy: [...stops.values()].toSorted((a, b) => b.people.length - a.people.length),
  }
}
