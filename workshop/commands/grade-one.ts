import { once } from 'node:events'
import type { GradeOrder, GradeReport } from '../class/grade-in-process.ts'
import { grade } from '../grader/grade.ts'
import { machineProblem } from '../machine-problem.ts'
import { refuse } from './refuse.ts'

/** Grades one lesson of one person. `npm run grade` forks this command, sends it one order and receives the verdict. */
export async function gradeOne(): Promise<number> {
  if (!process.send) {
    return refuse(
      'Only npm run grade starts this command. To grade one person: npm test -- lesson1 FOLDER',
    )
  }
  const signs = setInterval(report, 1000, {})
  // The parent has exited, so the verdict is no longer needed.
  process.on('disconnect', () => process.exit())
  const [order] = (await once(process, 'message')) as [GradeOrder]
  // Leave out the person's name, because grades are cached by content, and two people may hand in the same files.
  const request = { ...order, name: 'lessons', skipTypes: true, skipReference: true }
  const result = await grade(request).then(
    (verdict) => ({ verdict }),
    (error: unknown) => ({ problem: machineProblem(error) ?? `the grader failed: ${said(error)}` }),
  )
  clearInterval(signs)
  await report(result)
  process.disconnect()
  return 0
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Sends a message. Resolves when the message has been sent, because closing the channel discards queued messages. */
function report(message: GradeReport): Promise<void> {
  return new Promise((sent) => void process.send!(message, () => sent()))
}
