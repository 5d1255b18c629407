import type { Learner } from '../../protocol/room.ts'

// Sums up the room for the board. Nothing here needs Node.

/** What the board says about the room. */
export type Summary = {
  /** The room in one sentence: `22 of 30 past 1.2, 6 stuck at 1.3 for more than five minutes`. */
  sentence: string
  /** The tasks at which learners are, in order. */
  tasks: TaskSummary[]
  /** The check that stops most learners. */
  stops?: Stop
  /** The learners. Those who have got least far come first. */
  learners: Learner[]
}

/** `task` is a task (`1.3`), or `lesson 1 passed`. */
export type TaskSummary = { task: string; here: number; stuck: number; past: number }

/** A check, the number of learners that it stops, the message that most of them have, and their number. */
export type Stop = { check: string; rule: string; count: number; message: string; same: number }

/** @param now the time on the deck's clock */
export function summaryOf(all: readonly Learner[], now: number): Summary {
  const learners = all
    .filter(({ heardAt }) => now - heardAt <= FORGET_MS)
    .toSorted((a, b) => rank(a) - rank(b) || a.since - b.since)
  const tasks = [...new Set(learners.map(rank))].map((at): TaskSummary => {
    const here = learners.filter((learner) => rank(learner) === at)
    return {
      task: here[0]!.task ?? `lesson ${here[0]!.lesson} passed`,
      here: here.length,
      stuck: here.filter((learner) => isStuck(learner, now)).length,
      past: learners.filter((learner) => rank(learner) > at).length,
    }
  })
  const stops = mostStopping(learners.filter((learner) => !isSilent(learner, now)))
  return { sentence: sentenceOf(tasks, learners), tasks, ...(stops && { stops }), learners }
}

/** Returns whether a learner has been at the same task for more than five minutes, and is still there. */
export function isStuck(learner: Learner, now: number): boolean {
  return learner.task !== undefined && now - learner.since > STUCK_MS && !isSilent(learner, now)
}

/** Returns whether a learner has missed two reports. */
export function isSilent({ heardAt }: Learner, now: number): boolean {
  return now - heardAt > SILENT_MS
}

function sentenceOf(tasks: TaskSummary[], { length }: Learner[]): string {
  if (length === 0) return 'Nobody shows their progress yet'
  // The last task that most have passed says where the room is.
  const passed = tasks.findLast(({ past }) => past > length / 2) ?? tasks[0]!
  const [stuck] = tasks.toSorted((a, b) => b.stuck - a.stuck)
  const where = passed.past === 0 && passed.here === length ? `all ${length} at` : undefined
  return [
    where ? `${where} ${passed.task}` : `${passed.past} of ${length} past ${passed.task}`,
    ...(stuck!.stuck > 0
      ? [`${stuck!.stuck} stuck at ${stuck!.task} for more than five minutes`]
      : []),
  ].join(', ')
}

function mostStopping(learners: Learner[]): Stop | undefined {
  const [check, stopped] = mostFrequent(learners, (learner) => learner.check)
  if (check === undefined) return undefined
  const [message = '', same] = mostFrequent(stopped, (learner) => learner.message)
  return { check, rule: stopped[0]!.rule ?? '', count: stopped.length, message, same: same.length }
}

/** Returns the value that most learners have, and those learners. */
function mostFrequent(
  learners: Learner[],
  valueOf: (learner: Learner) => string | undefined,
): [value: string | undefined, learners: Learner[]] {
  const groups = new Map<string, Learner[]>()
  for (const learner of learners) {
    const value = valueOf(learner)
    if (value !== undefined) groups.set(value, [...(groups.get(value) ?? []), learner])
  }
  const [most] = [...groups].toSorted(([, a], [, b]) => b.length - a.length)
  return most ?? [undefined, []]
}

/** Returns a number that grows with a learner's progress through the workshop. */
function rank({ lesson, task }: Learner): number {
  const number = task === undefined ? 999 : Number(task.split('.')[1])
  return lesson * 1000 + number
}

const STUCK_MS = 5 * 60_000

/** Learners report at least once a minute. */
const SILENT_MS = 150_000

/** The silence after which a learner is forgotten. */
export const FORGET_MS = 60 * 60_000
