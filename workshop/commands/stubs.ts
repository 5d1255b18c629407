import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lessons, lessonsFolder } from '../lessons/catalogue.ts'
import { stubsOf } from '../lessons/stubs.ts'

/**
 * Makes the stubs of every lesson from its solution and writes them. For contributors: `node workshop/start.mjs stubs`.
 * This overwrites the files in lessons/ without saving them. Learners use `npm run reset`, which saves their work first.
 */
export async function stubs(): Promise<number> {
  for (const lesson of lessons()) {
    const folder = join(lessonsFolder, lesson.folder)
    mkdirSync(folder, { recursive: true })
    for (const { name, text } of stubsOf(lesson)) {
      writeFileSync(join(folder, name), text)
      console.log(`lessons/${lesson.folder}/${name}`)
    }
  }
  return 0
}
