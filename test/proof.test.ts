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
import { renderFailure } from '../workshop/verdict/render.ts'
import { taskOf } from '../workshop/lessons/task-of.ts'
import { typeErrors } from '../workshop/grader/typecheck.ts'
import type { CheckResult, Verdict } from '../protocol/verdict.ts'
import { graderPool } from '../workshop/grader/grader-pool.ts'
import { lessons, solutionsFolder, type Lesson } from '../workshop/lessons/catalogue.ts'
import { makeStub } from '../workshop/lessons/stubs.ts'
import { nginx } from '../workshop/tools/proxies.ts'
import { painter } from '../workshop/terminal/colour.ts'

// Proves the checks with programs: right work passes, unwritten work is called unwritten, and each planted
// bug is found by the check that is there for it, in the words that a learner will read.
//
// Whatever a learner has in lessons/ does not matter here: solutions, variants and mistakes are the whole
// evidence, and stubs are made afresh from the solutions.

const SEED = 1
const tests = import.meta.dirname
const scratch = mkdtempSync(join(tmpdir(), 'proof-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

describe.each(lessons())('lesson $number', (lesson) => {
  const named = checksOf(lesson.number)
  const checks = named.map(({ id }) => id)
  // Without nginx they are skipped, and counted.
  const lacking = named.filter(({ needsNginx }) => needsNginx && !nginx.find()).map(({ id }) => id)
  const variants = worksIn('variants', lesson)
  const mistakes = worksIn('mistakes', lesson)

  test('there are checks, at least 3 variants and a mistake for each check', () => {
    expect(checks).not.toEqual([])
    expect(variants.length).toBeGreaterThanOrEqual(3)
    expect([...new Set(mistakes.map(({ fails }) => fails))].sort()).toEqual([...checks].sort())
  })

  // A learner may have lost the README; then there is nothing to compare. In CI that is a failure.
  const isLost = lesson.problem !== undefined && !process.env.CI
  test.skipIf(isLost)('every task has checks and three hints, and every check a task', () => {
    expect(lesson.problem).toBeUndefined()
    expect(lesson.tasks.map(({ id }) => id)).toEqual([...new Set(checks.map(taskOf))])
    for (const { id, hints } of lesson.tasks) expect.soft(hints, `hints of ${id}`).toHaveLength(3)
  })

  // First, for the transcripts of mistakes stand beside the solution's.
  let solution: Verdict
  beforeAll(async () => {
    solution = await grade(requestFor(lesson, solutionsFolder))
  })

  test('the solution passes every check', () => {
    expect(wrong(solution)).toEqual([])
  })

  test('the types of variants, mistakes and stubs are right', async () => {
    const works = [...variants, ...mistakes].map(({ folder }) => asWork(folder, lesson))
    expect(await typeErrorsOf([...works, stubsOf(lesson)], lesson)).toEqual([])
  })

  test.concurrent('every check of the stub fails as not written yet', async () => {
    const verdict = await grade(requestFor(lesson, stubsOf(lesson)))
    const written = verdict.checks.filter(({ notWritten, lacks }) => !notWritten && !lacks)
    expect(written.map(({ id }) => id)).toEqual([])
    expect(verdict.outcome).toBe('fail')
  })

  test.concurrent.for(variants)('variant $name passes every check', async ({ folder }) => {
    const from = firstTaskOf(readdirSync(folder), lesson)
    const request = { ...requestFor(lesson, asWork(folder, lesson)), from }
    expect(wrong(await grade(request))).toEqual([])
  })

  const warm = graderPool({ lesson: lesson.number, seed: SEED, bail: true })
  afterAll(() => warm.end())

  test.concurrent.for(mistakes)(
    'mistake $name is failed first by $fails',
    async ({ folder, fails, says }, { expect: expectHere, skip }) => {
      skip(lacking.includes(fails), 'there is no nginx')
      const snapshot = join(folder, 'says.txt')
      const known = existsSync(snapshot) ? readFileSync(snapshot, 'utf8') : undefined
      const verdict = await warm.grade(
        {
          ...requestFor(lesson, asWork(folder, lesson)),
          bail: true,
          from: firstTaskOf(readdirSync(folder), lesson),
        },
        (came) => messageOf(came) === known,
      )
      expectHere(firstFailed(verdict)?.id, JSON.stringify(verdict.problem)).toBe(fails)
      const message = messageOf(verdict)!
      expectHere(message.replace(/\s+/g, ' ')).toContain(says)
      await expectHere(message).toMatchFileSnapshot(snapshot)
    },
  )
})

function firstFailed({ checks }: Verdict): CheckResult | undefined {
  return checks.find(({ state }) => state === 'failed')
}

/** What a learner reads first. */
function messageOf(verdict: Verdict): string | undefined {
  const first = firstFailed(verdict)
  return first && `${renderFailure(first, verdict, PLAIN)}\n`
}

const PLAIN = { paint: painter(false), width: 100, workName: 'lessons' }

type Work = { name: string; folder: string; fails: string; says: string }

function worksIn(kind: 'variants' | 'mistakes', { number }: Lesson): Work[] {
  const parent = join(tests, kind, `lesson${number}`)
  if (!existsSync(parent)) return []
  return readdirSync(parent).map((name) => {
    const folder = join(parent, name)
    return { name, folder, fails: header(folder, 'fails'), says: header(folder, 'says') }
  })
}

/** What follows `// fails: ` or the like in one of the files of a mistake. */
function header(folder: string, name: string): string {
  for (const file of readdirSync(folder).filter(isWritten)) {
    const line = new RegExp(`^(?://|#) ${name}: (.*)$`, 'm').exec(
      readFileSync(join(folder, file), 'utf8'),
    )
    if (line) return line[1]!
  }
  return ''
}

/** A file that learners write; `says.txt` is none. */
function isWritten(file: string): boolean {
  return /\.(tsx?|conf)$/.test(file)
}

function requestFor({ number }: Lesson, work: string): GradeRequest {
  return {
    lesson: number,
    work,
    name: 'lessons',
    base: solutionsFolder,
    seed: SEED,
    // All at once, above: the compiler takes longer to start than to read them.
    skipTypes: true,
  }
}

/**
 * The first task that one of these files has to do with. The tasks before it run on the files of the solution
 * alone, and have passed with them: there is nothing to see.
 */
function firstTaskOf(files: string[], { folder, number }: Lesson): string {
  const has = (file: string, what: RegExp): boolean =>
    what.test(readFileSync(join(solutionsFolder, folder, file), 'utf8'))
  const code = files.filter(isWritten)
  const affected = readdirSync(join(solutionsFolder, folder)).filter(
    (file) => code.includes(file) || code.some((one) => has(file, new RegExp(`'\\./${one}'`))),
  )
  const tasks = checksOf(number).map(({ id }) => taskOf(id))
  return tasks.find((id) =>
    affected.some((file) => has(file, new RegExp(`#region ${id.replace('.', '\\.')}\\b`))),
  )!
}

/** What keeps a verdict from being a pass, for a failing test to show. */
function wrong({ checks, problem }: Verdict): unknown[] {
  const failed = checks.filter(({ state, lacks }) => state !== 'passed' && !lacks)
  return [...failed, ...(problem ? [problem] : [])]
}

/** Each of the works with the solution under it, in one folder for one run of the compiler. */
async function typeErrorsOf(works: string[], { folder }: Lesson): Promise<string[]> {
  const all = await filledSandbox()
  try {
    for (const work of works) {
      const place = join(all.folder, basename(work))
      cpSync(join(solutionsFolder, folder), join(place, folder), { recursive: true })
      cpSync(join(work, folder), join(place, folder), { recursive: true })
    }
    return await typeErrors(all.folder, folder, '.')
  } finally {
    await all.remove()
  }
}

/** The files of a variant or a mistake, laid out like lessons/. */
function asWork(folder: string, lesson: Lesson): string {
  const work = mkdtempSync(join(scratch, 'work-'))
  const filter = (path: string): boolean => !path.endsWith('says.txt')
  cpSync(folder, join(work, lesson.folder), { recursive: true, filter })
  return work
}

function stubsOf({ number, folder }: Lesson): string {
  const work = mkdtempSync(join(scratch, 'stubs-'))
  mkdirSync(join(work, folder))
  for (const file of readdirSync(join(solutionsFolder, folder))) {
    const source = readFileSync(join(solutionsFolder, folder, file), 'utf8')
    writeFileSync(join(work, folder, file), makeStub(source, number))
  }
  return work
}
