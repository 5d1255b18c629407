import { screen } from '../terminal/screen.ts'

/** `npm test`: with a lesson, grades it once; without, proves the workshop itself. */
export async function test(words: string[]): Promise<number> {
  if (words.length === 0) return (await import('../prove.ts')).prove()
  return gradeOnce(words)
}

async function gradeOnce(words: string[]): Promise<number> {
  const { parseWords } = await import('../lessons/words.ts')
  const asked = parseWords(words)
  if ('problem' in asked) return refuse(asked.problem)
  if (asked.lesson === undefined) return refuse('Say which lesson, as in: npm test -- lesson1')

  const [{ grade }, { renderVerdict }] = await Promise.all([
    import('../grader/grade.ts'),
    import('../grader/render.ts'),
  ])
  const { lesson, only, work } = asked
  const out = screen(process.stdout)
  let done = 0
  const tellProgress = (): void => {
    const sofar = done === 0 ? '' : ` ${done} ${done === 1 ? 'check' : 'checks'} done`
    if (process.stdout.isTTY) out.stay(`grading lesson ${lesson} …${sofar}`)
  }
  tellProgress()
  const stop = new AbortController()
  const interrupt = (): void => stop.abort()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, interrupt)
  try {
    const verdict = await grade({
      lesson,
      work: work.folder,
      name: work.name,
      ...(only && { only }),
      ...(process.env.SEED && { seed: Number(process.env.SEED) }),
      onCheck() {
        done += 1
        tellProgress()
      },
      signal: stop.signal,
    })
    out.close()
    out.print(renderVerdict(verdict, { paint: out.paint, width: out.width, workName: work.name }))
    if (work.name === 'lessons') (await import('../lessons/progress.ts')).recordVerdict(verdict)
    return verdict.outcome === 'pass' ? 0 : 1
  } catch (error) {
    if (stop.signal.aborted) return 130
    throw error
  }
}

function refuse(problem: string): number {
  console.error(problem)
  return 2
}
