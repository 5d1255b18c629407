import { interruption } from '../process/interruption.ts'
import { screen } from '../terminal/screen.ts'
import type { Work } from '../lessons/args.ts'
import { machineProblem } from '../machine-problem.ts'
import { refuse } from './refuse.ts'

/** `npm test -- lesson1` grades a lesson once, and `npm test` without arguments proves the workshop itself. */
export async function test(args: string[]): Promise<number> {
  if (args.length === 0) return (await import('../prove.ts')).prove()
  return gradeOnce(args)
}

async function gradeOnce(args: string[]): Promise<number> {
  const [{ ownWork, parseArgs }, { seedAskedFor }] = await Promise.all([
    import('../lessons/args.ts'),
    import('../lessons/seed.ts'),
  ])
  const asked = parseArgs(args)
  if ('problem' in asked) return refuse(asked.problem)
  const seed = seedAskedFor()
  if (typeof seed === 'object') return refuse(seed.problem)
  if (asked.lesson === undefined) return refuse('Which lesson? For example: npm test -- lesson1')

  const [{ grade }, { earlierFailure }, { renderVerdict }] = await Promise.all([
    import('../grader/grade.ts'),
    import('../grader/earlier-failure.ts'),
    import('../verdict/render.ts'),
  ])
  const { lesson, only } = asked
  const own = asked.work === ownWork
  const work: Work & { remove?(): Promise<void> } = own
    ? asked.work
    : await submitted(asked.work, lesson)
  const out = screen(process.stdout)
  let done = 0
  let running: string[] = []
  let failed: string | undefined
  const tellProgress = (): void => {
    const sofar = done === 0 ? '' : ` ${done} ${done === 1 ? 'check' : 'checks'} done`
    const now = running.length === 0 ? '' : ` · running ${running.join(', ')}`
    const first = failed === undefined ? '' : ` · ${failed} failed`
    out.stay(`grading lesson ${lesson} …${sofar}${first}${now}`)
  }
  /** Prints the failure if there is no terminal, because then there is no status line to show it. */
  const tellFailure = ({ id, isEdgeCase }: { id: string; isEdgeCase?: boolean }): string => {
    const name = isEdgeCase ? `${id}, an edge case,` : id
    if (!process.stdout.isTTY && !only)
      out.print(`${name} failed. The other checks are still running.\n`)
    return id
  }
  tellProgress()
  const { signal } = interruption()
  try {
    const verdict = await grade({
      lesson,
      work: work.folder,
      name: work.name,
      ...(only && { only }),
      ...(seed !== undefined && { seed }),
      onCheck(result) {
        done += 1
        // Print the first failure immediately, because later checks may take a while to time out.
        if (result.state === 'failed' && !result.notWritten) failed ??= tellFailure(result)
        tellProgress()
      },
      onRunning(ids) {
        running = ids
        tellProgress()
      },
      signal,
    })
    if (only && verdict.outcome === 'fail') out.stay('looking for an earlier check that fails …')
    const earlier = only && (await earlierFailure({ lesson, work: work.folder, signal }, verdict))
    out.close()
    const { paint, width } = out
    const options = { paint, width, workName: work.name, ...(earlier && { earlier }) }
    out.print(renderVerdict(verdict, options))
    if (own) {
      const problem = (await import('../lessons/progress.ts')).recordVerdict(verdict)
      if (problem) out.print(problem)
    }
    return verdict.outcome === 'pass' ? 0 : 1
  } catch (error) {
    if (signal.aborted) return 130
    if (own || machineProblem(error)) throw error
    // The fault may be in the work, so do not ask the user to report it.
    return refuse(`The work in ${work.name} cannot be graded: ${(error as Error).message}`)
  } finally {
    out.close()
    await work.remove?.()
  }
}

/**
 * Returns a copy of work that somebody else has handed in, read with the limits of `npm run grade`: only files, and not
 * too many or too large ones. Prints what was left out.
 */
async function submitted(
  { folder, name }: Work,
  lesson: number,
): Promise<Work & { remove?(): Promise<void> }> {
  const { readSubmission, sandboxOf } = await import('../class/submission.ts')
  const { lessonNumbered } = await import('../lessons/catalogue.ts')
  const submission = await readSubmission(folder, lessonNumbered(lesson)!)
  for (const what of submission.leftOut) console.log(`Left out: ${what}`)
  const sandbox = await sandboxOf(submission)
  return { folder: sandbox.folder, name, remove: () => sandbox.remove() }
}
