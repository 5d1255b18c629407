import { join } from 'node:path'
import { lessonNumbered, solutionsFolder } from '../lessons/catalogue.ts'
import { soakTable } from '../soak/report.ts'
import { parseSoakArgs } from '../soak/soak-args.ts'
import { leftovers, soak as soakLesson } from '../soak/soak.ts'
import { refuse } from './refuse.ts'

/**
 * `npm run soak lesson5 10 minutes`: lets clients visit the servers of the solutions, and shows what the servers hold after
 * all clients have left. For contributors.
 *
 * @returns 0 if each server holds no more than before; 1 if not; 2 if an argument is unknown
 */
export async function soak(args: string[]): Promise<number> {
  const asked = parseSoakArgs(args)
  if ('problem' in asked) return refuse(asked.problem)
  const { lessons, ms } = asked
  console.log(`Clients visit the servers of the lessons ${lessons.join(', ')} for ${ms / 1000} s.`)
  // The servers run at the same time, because their clients mostly wait.
  const all = await Promise.all(
    lessons.map((lesson) => {
      const folder = join(solutionsFolder, lessonNumbered(lesson)!.folder)
      return soakLesson({ lesson, folder, ms })
    }),
  )
  console.log(`\n${soakTable(all)}`)
  return all.some((soaked) => leftovers(soaked).length > 0) ? 1 : 0
}
