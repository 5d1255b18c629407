import type { Lesson } from '../lessons/catalogue.ts'
import type { CheckName } from '../lessons/checks.ts'
import type { Task } from '../lessons/readme.ts'
import { taskOf } from '../lessons/task-of.ts'

/** A reason for lines of the solution: the check or task that they serve, and a sentence about it. */
export type Reason = { id: string; text: string }

/**
 * Explains lines of the solution by the checks that guard them. If there are only a few checks, the lines are few as
 * well, and the rules of the checks say what the lines are for. If there are many, the lines are most of a function,
 * so the last hint of each task says what the code does.
 */
export function reasonsFor(
  checks: readonly CheckName[],
  { tasks }: Pick<Lesson, 'tasks'>,
): Reason[] {
  if (checks.length <= FEW) return checks.map(({ id, rule }) => ({ id, text: rule }))
  return tasks
    .filter((task) => checks.some(({ id }) => taskOf(id) === task.id))
    .map((task) => ({ id: task.id, text: whatItDoes(task) }))
}

const FEW = 8

/** Returns the first sentence after the code of the last hint, or the title of a task without one. */
export function whatItDoes({ title, hints }: Task): string {
  const [, prose = ''] = /\n```\n([^`]+(?:`[^`\n]+`[^`]*)*)$/.exec(hints.at(-1) ?? '') ?? []
  const [sentence] = /^.+?\.(?=\s|$)/.exec(prose.replaceAll(/\s+/g, ' ').trim()) ?? []
  return sentence ?? title
}
