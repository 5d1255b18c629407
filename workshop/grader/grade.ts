import { basename, join, relative } from 'node:path'
import { isInside } from '../is-inside.ts'
import { lessonNumbered, solutionsFolder } from '../lessons/catalogue.ts'
import { nginx } from '../tools/proxies.ts'
import { ROOT } from '../root.ts'
import { judge } from './judge.ts'
import { checksOf, type CheckName } from '../lessons/checks.ts'
import { keepReference, referenceOf } from './reference.ts'
import { startGradingProcess, type GradingProcess } from './grading-process.ts'
import type { Outcome } from './run-record.ts'
import { taskOf } from '../lessons/task-of.ts'
import { decisive } from '../../protocol/score.ts'
import { firstFailure } from '../verdict/verdict-summary.ts'
import { typeErrors, TypesUnchecked } from './typecheck.ts'
import type { SpaceTime } from '../../protocol/space-time.ts'
import type { CheckResult, Verdict } from '../../protocol/verdict.ts'

export type GradeRequest = {
  /** A lesson that is in `work` or in `base`. */
  lesson: number
  /** A folder laid out like `lessons/`. */
  work: string
  /** The folder's name in messages. If absent, messages use its path. */
  name?: string
  /** A folder with the same layout. It supplies the files that `work` does not have. */
  base?: string
  /** The check or task to grade: `1.2a` or `1.2`. */
  only?: string
  /** The first task to grade. If absent, grading starts with the lesson's first task. */
  from?: string
  /** The task to grade before the others, because the learner is in it. If absent, checks run in the order of diagnosis. */
  firstTask?: string
  /** Grades only the core checks before this check. */
  before?: string
  seed?: number
  /** Whether to stop after the first failure. */
  bail?: boolean
  /** For a first look: the last check to grade, and the only one that tries every case. The checks before it try a sample. */
  tryAllIn?: string
  /** Whether to skip the type check. */
  skipTypes?: boolean
  /** Whether to leave out the solution's transcript of the first failing check. */
  skipReference?: boolean
  /** Called with each result as soon as it is known. */
  onCheck?(result: CheckResult): void
  /** Called with the IDs of the running checks, whenever a check begins or ends. */
  onRunning?(ids: string[]): void
  /** Ends the run and its process. */
  signal?: AbortSignal
  /** A process that was started for this lesson. This grading ends the process, unless it is reusable. */
  gradingProcess?: GradingProcess
}

/**
 * Grades one lesson of somebody's work in a separate process. Returns a verdict whatever the learner's code does.
 * Throws only if the workshop itself is broken or `signal` aborts.
 */
export async function grade(request: GradeRequest): Promise<Verdict> {
  const { lesson, work, base, onCheck, onRunning, signal } = request
  const checks = checksAskedFor(request)
  const possible = possibleOf(checks)
  const gradingProcess = await processFor(request)
  const { seed, sandbox } = gradingProcess
  const named = (text: string): string => nameFiles(text, sandbox.folder, request.name ?? work)
  try {
    await sandbox.fill(...(base ? [base] : []), work)
    const [types, result] = await Promise.all([
      checkTypes(sandbox.folder, request),
      gradingProcess.run({
        ids: possible.map(({ id }) => id),
        first: possible.map(({ id }) => id).filter((id) => taskOf(id) === request.firstTask),
        bail: request.bail,
        tryAllIn: request.tryAllIn,
        ...(signal && { signal }),
        ...(onRunning && { onRunning }),
        onOutcome(id, outcome) {
          const check = checks.find((each) => each.id === id)
          if (check) onCheck?.(resultOf(check, outcome, sandbox.folder, named))
        },
      }),
    ])
    signal?.throwIfAborted()
    const results = checks.map((check) => ({
      ...resultOf(check, result.outcomes.get(check.id), sandbox.folder, named),
      ...(!possible.includes(check) && { lacks: nginx.name }),
    }))
    if (work === solutionsFolder) keepReference(lesson, seed, results)
    const judgement = judge(result, results, {
      lesson,
      sandbox: sandbox.folder,
      bail: request.bail,
    })
    const failed = firstFailure(results)
    if (failed && !failed.notWritten && !request.skipReference) {
      const { steps, picture } = await referenceOf(lesson, failed.id, seed)
      failed.reference = steps
      if (picture) failed.referencePicture = picture
    }
    return {
      lesson,
      outcome: judgement?.outcome ?? (hasPassed(decisive(results)) ? 'pass' : 'fail'),
      checks: results,
      ...(judgement && {
        problem: { what: named(judgement.problem.what), detail: named(judgement.problem.detail) },
      }),
      typeErrors: types.errors.map((line) => named(join(sandbox.folder, line))),
      ...(types.problem && { typeProblem: types.problem }),
      seed,
      printed: named(result.printed),
    }
  } finally {
    if (!gradingProcess.isReusable) await gradingProcess.end()
  }
}

/** Returns the type errors, or the reason why the types could not be checked. */
async function checkTypes(
  sandbox: string,
  { lesson, skipTypes }: GradeRequest,
): Promise<{ errors: string[]; problem?: string }> {
  if (skipTypes) return { errors: [] }
  try {
    return { errors: await typeErrors(sandbox, lessonNumbered(lesson)!.folder) }
  } catch (error) {
    if (error instanceof TypesUnchecked) return { errors: [], problem: error.message }
    throw error
  }
}

/** Returns the checks that this machine can run. */
function possibleOf(checks: CheckName[]): CheckName[] {
  const isPossible = !checks.some(({ needsNginx }) => needsNginx) || nginx.find() !== undefined
  return isPossible ? checks : checks.filter(({ needsNginx }) => !needsNginx)
}

/**
 * Returns whether all checks have passed. A check that this machine cannot run counts as failed in CI. On other
 * machines, it counts as failed only if no other check is left, and is otherwise only reported.
 */
function hasPassed(results: readonly CheckResult[]): boolean {
  const graded = process.env.CI ? results : results.filter(({ lacks }) => !lacks)
  return graded.length > 0 && graded.every(({ state }) => state === 'passed')
}

/** Returns the given process if it is still alive, and otherwise starts a new one. */
async function processFor({ lesson, seed, gradingProcess }: GradeRequest): Promise<GradingProcess> {
  if (gradingProcess?.isAlive) return gradingProcess
  await gradingProcess?.end()
  return startGradingProcess({ lesson, ...(seed !== undefined && { seed }) })
}

function checksAskedFor({ lesson, only, from, before, tryAllIn }: GradeRequest): CheckName[] {
  const all = checksOf(lesson)
  if (before) {
    const earlier = all.slice(
      0,
      all.findIndex(({ id }) => id === before),
    )
    return earlier.filter(({ isEdgeCase }) => !isEdgeCase)
  }
  if (only) return all.filter(({ id }) => id === only || taskOf(id) === only)
  const start = from ? all.findIndex(({ id }) => taskOf(id) === from) : 0
  const end = tryAllIn ? all.findIndex(({ id }) => id === tryAllIn) + 1 : all.length
  return all.slice(start, end)
}

function resultOf(
  { id, rule, isEdgeCase }: CheckName,
  outcome: Outcome | undefined,
  sandbox: string,
  named: (text: string) => string,
): CheckResult {
  const check = { id, rule, ...(isEdgeCase && { isEdgeCase }) }
  if (!outcome) return { ...check, state: 'not run', steps: [] }
  const { passed, report, error } = outcome
  const happened = {
    steps: (report?.steps ?? []).map(named),
    ...(report?.picture && { picture: namedIn(report.picture, named) }),
  }
  if (passed && report) {
    const { note } = report
    return { ...check, state: 'passed', ...happened, ...(note && { note }) }
  }
  const story = report?.story ?? {
    seen: `The check ended without a report: ${error?.message ?? 'it threw no error'}`,
    expected: 'Expected every check to end with a report.',
  }
  const frame = error?.frames.find(({ file }) => isInside(sandbox, file))
  return {
    ...check,
    state: 'failed',
    story: { ...story, seen: named(story.seen), ...(story.cause && { cause: named(story.cause) }) },
    ...(report?.notWritten && { notWritten: report.notWritten }),
    ...(frame && { at: named(`${frame.file}:${frame.line}:${frame.column}`) }),
    ...happened,
  }
}

function namedIn({ parties, events }: SpaceTime, named: (text: string) => string): SpaceTime {
  return { parties, events: events.map((event) => ({ ...event, label: named(event.label) })) }
}

/** Replaces paths in the sandbox with the paths that the learner knows: `lessons/01-raw-chunks/server.ts`. */
function nameFiles(text: string, sandbox: string, name: string): string {
  return text
    .replaceAll(`file://${sandbox}`, name)
    .replaceAll(sandbox, name)
    .replaceAll(`/${relative(ROOT, sandbox)}`, name)
    .replaceAll(relative(ROOT, sandbox), name)
    .replaceAll(basename(sandbox), name)
}
