import { once } from 'node:events'
import type { GradeOrder, GradeReport } from '../class/grade-in-process.ts'
import { grade } from '../grader/grade.ts'
import { refuse } from './refuse.ts'

/** What `npm run grade` starts for each lesson of each person: takes one order, and reports the verdict. */
export async function gradeOne(): Promise<number> {
  if (!process.send) {
    return refuse('npm run grade starts this by itself. To grade one: npm test -- lesson1 FOLDER')
  }
  const signs = setInterval(report, 1000, {})
  // Nobody wants the verdict any more.
  process.on('disconnect', () => process.exit())
  const [order] = (await once(process, 'message')) as [GradeOrder]
  // Who handed it in is told elsewhere: the same files may be somebody else's, too.
  const verdict = await grade({ ...order, name: 'lessons', skipTypes: true, skipReference: true })
  clearInterval(signs)
  await report({ verdict })
  process.disconnect()
  return 0
}

/** Settled when it is on its way, for what waits is lost when the channel is closed. */
function report(message: GradeReport): Promise<void> {
  return new Promise((sent) => void process.send!(message, () => sent()))
}
