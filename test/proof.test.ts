import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { filledSandbox } from '../workshop/grader/sandbox.ts'
import { grade, type GradeRequest } from '../workshop/grader/grade.ts'
import { checksOf } from '../workshop/lessons/checks.ts'
import { taskOf } from '../workshop/lessons/task-of.ts'
import { typeErrors } from '../workshop/grader/typecheck.ts'
import type { CheckResult, Verdict } from '../protocol/verdict.ts'
import { graderPool } from '../workshop/grader/grader-pool.ts'
import { lessons, solutionsFolder, type Lesson } from '../workshop/lessons/catalogue.ts'
import { stubsOf } from '../workshop/lessons/stubs.ts'
import { nginx } from '../workshop/tools/proxies.ts'
import {
  formatMessage,
  formatMessages,
  messageOf,
  messagesFile,
  readMessages,
  type Message,
} from '../workshop/mistakes/messages.ts'
import { filesOf, layOut, mistakesOf, type Mistake } from '../workshop/mistakes/mistakes.ts'

// Proves the checks by grading programs: correct code passes, unwritten code is reported as unwritten, and each planted
// bug is found by the check that exists for it, with the message that a learner will read.
//
// The learner's files in lessons/ have no influence, because the proof uses solutions, variants and mistakes, and makes
// new stubs from the solutions.

const SEED = 1
const tests = import.meta.dirname
const scratch = mkdtempSync(join(tmpdir(), 'proof-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

describe.each(lessons())('lesson $number', (lesson) => {
  const named = checksOf(lesson.number)
  const checks = named.map(({ id }) => id)
  // Without nginx, these checks are skipped and counted.
  const lacking = named.filter(({ needsNginx }) => needsNginx && !nginx.find()).map(({ id }) => id)
  const variants = variantsOf(lesson)
  const mistakes = mistakesOf(lesson.number)
  const tasks = [...new Set(mistakes.map(({ task }) => task))]

  test('there are checks, at least 3 variants and a mistake for each check', () => {
    expect(checks).not.toEqual([])
    expect(variants.length).toBeGreaterThanOrEqual(3)
    expect([...new Set(mistakes.map(({ fails }) => fails))]).toEqual(checks)
  })

  test('every task has a core check, and the core is small enough to work through', () => {
    const core = named.filter(({ isEdgeCase }) => !isEdgeCase)
    expect([...new Set(core.map(({ id }) => taskOf(id)))]).toEqual([...new Set(checks.map(taskOf))])
    expect(core.length).toBeLessThanOrEqual(MOST_CORE[lesson.number] ?? 30)
  })

  // A learner may have lost the README. Then there is nothing to compare, but in CI that is a failure.
  const isLost = lesson.problem !== undefined && !process.env.CI
  test.skipIf(isLost)('every task has checks and three hints, and every check a task', () => {
    expect(lesson.problem).toBeUndefined()
    expect(lesson.tasks.map(({ id }) => id)).toEqual([...new Set(checks.map(taskOf))])
    for (const { id, hints } of lesson.tasks) expect.soft(hints, `hints of ${id}`).toHaveLength(3)
  })

  // A failing check spends most of its time waiting, so several can share a core.
  const pool = graderPool({ lesson: lesson.number, seed: SEED, size: 4 })
  afterAll(() => pool.end())

  // Grade the solution first, because of a mistake's transcript, only the part around the first difference from the
  // solution's transcript is kept.
  let solution: Verdict
  beforeAll(async () => {
    solution = await pool.grade(requestFor(lesson, solutionsFolder), isRight)
  })

  test('the solution passes every check', () => {
    expect(wrong(solution)).toEqual([])
  })

  test('the types of variants, mistakes and stubs are right', async () => {
    const works = [
      ...variants.map((variant) => workOf(variant, lesson)),
      ...mistakes.map(made),
      stubbed(lesson),
    ]
    expect(await typeErrorsOf(works, lesson)).toEqual([])
  })

  test.concurrent('every check of the stub fails as not written yet', async () => {
    const verdict = await pool.grade(
      requestFor(lesson, stubbed(lesson)),
      (came) => came.outcome === 'fail' && written(came).length === 0,
    )
    expect(written(verdict)).toEqual([])
    expect(verdict.outcome).toBe('fail')
  })

  test.concurrent.for(variants)('variant $name passes every check', async (variant) => {
    const from = firstTaskOf(readdirSync(variant.folder), lesson)
    const request = { ...requestFor(lesson, workOf(variant, lesson)), from }
    expect(wrong(await pool.grade(request, isRight))).toEqual([])
  })

  const known = new Map(tasks.flatMap((task) => [...readMessages({ lesson: lesson.number, task })]))
  const told = new Map<string, Message>()

  test.concurrent.for(mistakes)(
    'mistake $name is failed first by $fails',
    async (mistake, { expect: expectHere, skip }) => {
      const { name, fails, phrase } = mistake
      skip(lacking.includes(fails), 'there is no nginx')
      const kept = known.get(name)
      const isKept = (came: Message | undefined): boolean =>
        hasRaces(lesson) ? kept !== undefined : textOf(came) === textOf(kept)
      const verdict = await pool.grade(
        {
          ...requestFor(lesson, made(mistake)),
          bail: true,
          tryAllIn: fails,
          from: firstTaskOf([...filesOf(mistake).keys()], lesson),
        },
        (came) => firstFailed(came)?.id === fails && isKept(messageIn(came)),
      )
      expectHere(firstFailed(verdict)?.id, JSON.stringify(verdict.problem)).toBe(fails)
      const message = messageIn(verdict)!
      told.set(name, kept && !isUpdating() && isKept(message) ? kept : message)
      const { seen, expected, cause = '', often = '' } = message
      expectHere([seen, expected, cause, often].join(' ').replace(/\s+/g, ' ')).toContain(phrase)
      if (isUpdating() || isKept(message)) return
      expectHere(textOf(message), 'update with -u').toBe(textOf(kept))
    },
  )

  // After the first failure, checks run concurrently. A learner who leaves out an edge case must not fail a core check
  // because of the checks beside it.
  const [slip] = mistakes.filter(({ fails }) =>
    named.some(({ id, isEdgeCase }) => id === fails && isEdgeCase),
  )
  test.concurrent(`mistake ${slip?.name} fails no core check that it passes alone`, async () => {
    const request = { ...requestFor(lesson, made(slip!)), skipReference: true }
    const verdict = await grade(request)
    expect(verdict.problem).toBeUndefined()
    expect(firstFailed(verdict)?.id).toBe(slip!.fails)
    const failed = verdict.checks.filter(
      ({ isEdgeCase, state }) => !isEdgeCase && state === 'failed',
    )
    for (const { id } of failed) {
      const alone = await grade({ ...request, only: id })
      expect(alone.outcome, `${id} alone`).toBe('fail')
    }
  })

  // Runs after the mistakes. If a mistake was not graded because nginx is missing or because of -t, its stored message
  // stays.
  test.for(tasks)('the messages of the mistakes of task %s are stored', async (task) => {
    const messages = mistakes.flatMap(({ name, task: its }): [string, Message][] => {
      const message = told.get(name) ?? known.get(name)
      return its === task && message ? [[name, message]] : []
    })
    const file = messagesFile({ lesson: lesson.number, task })
    await expect(formatMessages(new Map(messages))).toMatchFileSnapshot(file)
  })
})

/** The maximum number of core checks in each lesson that is shorter than the others. */
const MOST_CORE: Record<number, number> = { 1: 20 }

function firstFailed({ checks }: Verdict): CheckResult | undefined {
  return checks.find(({ state }) => state === 'failed')
}

function messageIn(verdict: Verdict): Message | undefined {
  const first = firstFailed(verdict)
  return first && messageOf(first)
}

function textOf(message: Message | undefined): string | undefined {
  return message && formatMessage(message)
}

/**
 * Returns whether the messages of a lesson's checks differ from run to run. In lesson 9, real processes and Redis work at
 * the same time, so the order of their steps differs, and so do counts. There, a message needs only its phrase.
 */
function hasRaces({ number }: Lesson): boolean {
  return number === 9
}

/** Returns whether Vitest was started with -u. */
function isUpdating(): boolean {
  return expect.getState().snapshotState.snapshotUpdateState === 'all'
}

type Variant = { name: string; folder: string }

function variantsOf({ number }: Lesson): Variant[] {
  const parent = join(tests, 'variants', `lesson${number}`)
  if (!existsSync(parent)) return []
  return readdirSync(parent).map((name) => ({ name, folder: join(parent, name) }))
}

function requestFor({ number }: Lesson, work: string): GradeRequest {
  return {
    lesson: number,
    work,
    name: 'lessons',
    seed: SEED,
    // All programs are type-checked together above, because starting the compiler takes longer than reading them.
    skipTypes: true,
  }
}

/**
 * Returns the first task that any of these files affects. Earlier tasks only use the solution's files, and their checks
 * have passed with the solution, so they need not run again.
 */
function firstTaskOf(files: string[], { folder, number }: Lesson): string {
  const has = (file: string, what: RegExp): boolean =>
    what.test(readFileSync(join(solutionsFolder, folder, file), 'utf8'))
  const affected = readdirSync(join(solutionsFolder, folder)).filter(
    (file) => files.includes(file) || files.some((one) => has(file, new RegExp(`'\\./${one}'`))),
  )
  const tasks = checksOf(number).map(({ id }) => taskOf(id))
  return tasks.find((id) =>
    affected.some((file) => has(file, new RegExp(`#region ${id.replace('.', '\\.')}\\b`))),
  )!
}

/** Returns the IDs of the checks that do not report unwritten work. */
function written({ checks }: Verdict): string[] {
  return checks.filter(({ notWritten, lacks }) => !notWritten && !lacks).map(({ id }) => id)
}

function isRight(verdict: Verdict): boolean {
  return wrong(verdict).length === 0
}

/** Returns the reasons why a verdict is not a pass, for a failing test to show. */
function wrong({ checks, problem }: Verdict): unknown[] {
  const failed = checks.filter(({ state, lacks }) => state !== 'passed' && !lacks)
  return [...failed, ...(problem ? [problem] : [])]
}

/** Returns the type errors of all programs, with a single run of the compiler. */
async function typeErrorsOf(works: string[], { folder }: Lesson): Promise<string[]> {
  const all = await filledSandbox()
  try {
    for (const work of works) {
      cpSync(join(work, folder), join(all.folder, basename(work), folder), { recursive: true })
    }
    // All of a lesson's work together takes longer than one learner's.
    return await typeErrors(all.folder, folder, '.', { ms: 200_000, mb: 4096 })
  } finally {
    await all.remove()
  }
}

/** Creates a folder laid out like lessons/, with the variant's files over the solution's. */
function workOf({ folder }: Variant, lesson: Lesson): string {
  const work = mkdtempSync(join(scratch, 'work-'))
  for (const from of [join(solutionsFolder, lesson.folder), folder]) {
    cpSync(from, join(work, lesson.folder), { recursive: true })
  }
  return work
}

/** Creates a folder laid out like lessons/, with the mistake in it. Creates it only once. */
function made(mistake: Mistake): string {
  const known = madeBefore.get(mistake)
  if (known) return known
  const work = mkdtempSync(join(scratch, 'work-'))
  layOut(mistake, work)
  madeBefore.set(mistake, work)
  return work
}

const madeBefore = new Map<Mistake, string>()

/** Creates a folder laid out like lessons/, with the stubs of a lesson. */
function stubbed(lesson: Lesson): string {
  const work = mkdtempSync(join(scratch, 'stubs-'))
  mkdirSync(join(work, lesson.folder))
  for (const { name, text } of stubsOf(lesson)) {
    writeFileSync(join(work, lesson.folder, name), text)
  }
  return work
}
