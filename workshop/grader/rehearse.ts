import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Lesson } from '../lessons/catalogue.ts'
import { stubsOf } from '../lessons/stubs.ts'
import type { Prepared } from './grade.ts'

/**
 * Makes a prepared grading quicker still: its process loads the checks, and the packages that they and the stubs
 * use. The work, which comes later, finds nothing of the stubs but those packages.
 *
 * @param signal ends the process
 */
export async function rehearse(
  { box, ready }: Prepared,
  lesson: Lesson,
  signal: AbortSignal,
): Promise<void> {
  const folder = join(box.folder, lesson.folder)
  await mkdir(folder)
  for (const { name, text } of stubsOf(lesson)) await writeFile(join(folder, name), text)
  await ready.rehearse(signal)
}
