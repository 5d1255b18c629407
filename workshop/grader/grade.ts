import { randomInt } from 'node:crypto'
import { basename, join, relative } from 'node:path'
import { lessonNumbered, solutionsFolder } from '../lessons/catalogue.ts'
import { nginx } from '../parts/proxies.ts'
import { ROOT } from '../root.ts'
import { emptyBox, type Box } from './box.ts'
import { judge } from './judge.ts'
import { checksOf, type CheckName } from './manifest.ts'
import { keepReference, referenceSteps } from './reference.ts'
import { readyRun, type Outcome, type ReadyOptions, type ReadyRun } from './run.ts'
import { taskOf } from './task-of.ts'
import { firstFailure } from './told.ts'
import { typeErrors } from './types.ts'
import type { CheckResult, Verdict } from './verdict.ts'

export type GradeRequest = {
  /** A lesson that is in `work` or in `base`. */
  lesson: number
  /** A folder laid out like `lessons/`. */
  work: string
  /** How messages call that folder; absent = its path. */
  name?: string
  /** A folder laid out the same way, for the files that `work` does not have. */
  base?: string
  /** A check or a task: `1.2a`, `1.2`. */
  only?: string
  /** The task to begin with. */
  from?: string
  seed?: number
  /** Run no more checks when one has failed. */
  bail?: boolean
  /** Leave the types alone. */
  skipTypes?: boolean
  /** Leave out what the solution does in the check that fails first. */
  skipReference?: boolean
  /** Called as each result comes. */
  onCheck?(result: CheckResult): void
  /** Ends the run, and the process it runs in. */
  signal?: AbortSignal
  /** What `prepare()` gave for this lesson; discarded by this grading. */
  prepared?: Prepared
}

/** What a grading needs before it knows the work. */
export type Prepared = {
  seed: number
  box: Box
  ready: ReadyRun
  discard(): Promise<void>
}

/** Makes the next grading of a lesson quick: its process is started, and waits. See `rehearse()` too. */
export async function prepare({
  lesson,
  seed = randomInt(1, 1_000_000),
  bail = false,
  ...how
}: Pick<GradeRequest, 'lesson' | 'seed' | 'bail'> &
  Pick<ReadyOptions, 'reusable' | 'sparse'>): Promise<Prepared> {
  const box = await emptyBox()
  const ready = await readyRun({ lesson, box: box.folder, seed, bail, ...how })
  return {
    seed,
    box,
    ready,
    async discard() {
      await ready.discard()
      await box.remove()
    },
  }
}

/**
 * Grades one lesson of somebody's work, in a process of its own. Whatever the work does, there is a
 * verdict; it throws only when the workshop itself is broken, or `signal` aborts.
 */
export async function grade(request: GradeRequest): Promise<Verdict> {
  const { lesson, work, base, onCheck, signal } = request
  const checks = checksAskedFor(request)
  const possible = possibleOf(checks)
  const { seed, box, ready, discard } = await preparedFor(request)
  const named = (text: string): string => nameFiles(text, box.folder, request.name ?? work)
  try {
    await box.fill(...(base ? [base] : []), work)
    const [types, result] = await Promise.all([
      request.skipTypes ? [] : typeErrors(box.folder, lessonNumbered(lesson)!.folder),
      ready.run({
        ids: possible.map(({ id }) => id),
        ...(signal && { signal }),
        onOutcome(id, outcome) {
          const check = checks.find((each) => each.id === id)
          if (check) onCheck?.(resultOf(check, outcome, box.folder, named))
        },
      }),
    ])
    signal?.throwIfAborted()
    const results = checks.map((check) => ({
      ...resultOf(check, result.outcomes.get(check.id), box.folder, named),
      ...(!possible.includes(check) && { lacks: nginx.name }),
    }))
    if (work === solutionsFolder) keepReference(lesson, seed, results)
    const judgement = judge(result, results, { lesson, box: box.folder, bail: request.bail })
    const failed = firstFailure(results)
    if (failed && !failed.notWritten && !request.skipReference) {
      failed.reference = await referenceSteps(lesson, failed.id, seed)
    }
    return {
      lesson,
      outcome: judgement?.outcome ?? (failed || mustNotLack(results) ? 'fail' : 'pass'),
      checks: results,
      ...(judgement && {
        problem: { what: named(judgement.problem.what), detail: named(judgement.problem.detail) },
      }),
      typeErrors: types.map((line) => named(join(box.folder, line))),
      seed,
      printed: named(result.printed),
    }
  } finally {
    await discard()
  }
}

/** Those that this machine can run. */
function possibleOf(checks: CheckName[]): CheckName[] {
  const isPossible = !checks.some(({ needsNginx }) => needsNginx) || nginx.find() !== undefined
  return isPossible ? checks : checks.filter(({ needsNginx }) => !needsNginx)
}

/** At home a check that cannot be run is told. In CI, and when nothing is left, it is no pass. */
function mustNotLack(results: CheckResult[]): boolean {
  const lacking = results.filter(({ lacks }) => lacks)
  return lacking.length === results.length || (Boolean(process.env.CI) && lacking.length > 0)
}

/** What was prepared is of use while its process is still there. */
async function preparedFor(request: GradeRequest): Promise<Prepared> {
  const { prepared } = request
  if (prepared?.ready.isAlive) return prepared
  await prepared?.discard()
  return prepare(request)
}

function checksAskedFor({ lesson, only, from }: GradeRequest): CheckName[] {
  const all = checksOf(lesson)
  if (only) return all.filter(({ id }) => id === only || taskOf(id) === only)
  return from ? all.slice(all.findIndex(({ id }) => taskOf(id) === from)) : all
}

function resultOf(
  { id, rule }: CheckName,
  outcome: Outcome | undefined,
  box: string,
  named: (text: string) => string,
): CheckResult {
  if (!outcome) return { id, rule, state: 'not run', steps: [] }
  const { passed, report, error } = outcome
  const steps = (report?.steps ?? []).map(named)
  if (passed && report) return { id, rule, state: 'passed', steps }
  const story = report?.story ?? {
    seen: `The check did not end as checks do: ${error?.message ?? 'it reports nothing'}`,
    expected: 'Expected its report.',
  }
  const frame = error?.frames.find(({ file }) => !relative(box, file).startsWith('..'))
  return {
    id,
    rule,
    state: 'failed',
    story: { ...story, seen: named(story.seen), ...(story.cause && { cause: named(story.cause) }) },
    ...(report?.notWritten && { notWritten: report.notWritten }),
    ...(frame && { at: named(`${frame.file}:${frame.line}:${frame.column}`) }),
    steps,
  }
}

/** Files of the box as the learner knows them: `lessons/01-raw-chunks/server.ts`. */
function nameFiles(text: string, box: string, name: string): string {
  return text
    .replaceAll(`file://${box}`, name)
    .replaceAll(box, name)
    .replaceAll(`/${relative(ROOT, box)}`, name)
    .replaceAll(relative(ROOT, box), name)
    .replaceAll(basename(box), name)
}
