import type { BoardMessage, Learner, Report } from '../../protocol/room.ts'
import { checksOf, hasChecks, type CheckName } from '../lessons/checks.ts'
import { taskOf } from '../lessons/task-of.ts'
import type { Newest } from './send-newest.ts'
import { FORGET_MS, isSilent } from './room-summary.ts'

/** The learners who show their progress. They are only kept in memory, and forgotten after an hour of silence. */
export type Room = Newest<BoardMessage> & {
  /**
   * Adds a learner, or replaces the learner's last report. Ignores a report that is older than the last one.
   *
   * @param address the address of the learner's machine
   * @returns a sentence if there is no place for the learner
   * @throws Error if the report names a lesson, task or check that does not exist
   */
  accept(report: Report, address: string): string | undefined
  /** Removes a learner. */
  remove(id: string): void
}

export function room({ now = Date.now }: { now?(): number } = {}): Room {
  const present = new Map<string, Present>()
  const listeners = new Set<() => void>()
  let version = 0
  let keys = 0

  function changed(): void {
    version += 1
    for (const listener of listeners) listener()
  }

  function forgetSilent(): void {
    for (const [id, { learner }] of present) {
      if (now() - learner.heardAt > FORGET_MS) present.delete(id)
    }
  }

  /** Returns whether there is a place. Somebody who has restarted takes the place of their silent former session. */
  function makePlace(address: string): boolean {
    const theirs = [...present].filter(([, each]) => each.address === address)
    if (theirs.length < MOST_FROM_ONE_MACHINE) return present.size < MOST
    const silent = theirs.find(([, { learner }]) => isSilent(learner, now()))
    return silent !== undefined && present.delete(silent[0])
  }

  return {
    get version() {
      return version
    },
    message() {
      forgetSilent()
      return {
        type: 'room',
        learners: Array.from(present.values(), ({ learner }) => learner),
        now: now(),
      }
    },
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    accept(report, address) {
      const { id, n, forMs, ...shown } = report
      const about = factsOf(report)
      forgetSilent()
      const before = present.get(id)
      if (before && n <= before.n) return undefined
      if (!before && !makePlace(address)) return FULL
      keys += before ? 0 : 1
      const key = before?.learner.key ?? keys
      const learner = { ...shown, ...about, key, since: now() - forMs, heardAt: now() }
      present.set(id, { n, address, learner })
      changed()
      return undefined
    },
    remove(id) {
      if (present.delete(id)) changed()
    },
  }
}

type Present = { n: number; address: string; learner: Learner }

/** Returns what this machine knows about the lesson of a report, so that a report cannot invent a task or a check. */
function factsOf({
  lesson,
  task,
  passed,
  check,
}: Report): Pick<Learner, 'total' | 'passed' | 'rule'> {
  const core = coreChecks(lesson)
  const failed = core.find(({ id }) => id === check)
  const isTaskKnown = task === undefined || core.some(({ id }) => taskOf(id) === task)
  if (core.length === 0 || !isTaskKnown || (check !== undefined && !failed)) {
    throw Object.assign(new Error(UNKNOWN), { status: 400 })
  }
  return {
    total: core.length,
    passed: Math.min(passed, core.length),
    ...(failed && { rule: failed.rule }),
  }
}

const known = new Map<number, CheckName[]>()

/** Returns the core checks of a lesson. They are read only once, because reports arrive all the time. */
function coreChecks(lesson: number): CheckName[] {
  const kept = known.get(lesson)
  if (kept) return kept
  if (lesson > MOST_LESSONS || !hasChecks(lesson)) return []
  const core = checksOf(lesson).filter(({ isEdgeCase }) => !isEdgeCase)
  known.set(lesson, core)
  return core
}

const UNKNOWN =
  'The board does not know this lesson, task or check. Do both machines have the same version of the workshop?'

const FULL = 'The board has no place left for this machine.'

/** More learners than fit into any room. */
const MOST = 100

/** A learner needs one place, so one machine cannot fill the board. */
const MOST_FROM_ONE_MACHINE = 5

const MOST_LESSONS = 99
