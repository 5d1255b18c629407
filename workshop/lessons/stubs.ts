import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { solutionsFolder, type Lesson } from './catalogue.ts'
import { makeStub } from './stub.ts'

/** A file of a lesson as its learner gets it. */
export type Stub = { name: string; text: string }

/** The stubs of a lesson, made from its solution. */
export function stubsOf({ folder, number }: Pick<Lesson, 'folder' | 'number'>): Stub[] {
  const solution = join(solutionsFolder, folder)
  return solutionFiles(folder).map((name) => {
    try {
      return { name, text: makeStub(readFileSync(join(solution, name), 'utf8'), number) }
    } catch (error) {
      throw new Error(`solutions/${folder}/${name}, ${(error as Error).message}`, { cause: error })
    }
  })
}

/** The files of a lesson that its learner writes. */
export function solutionFiles(folder: string): string[] {
  return readdirSync(join(solutionsFolder, folder), { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .toSorted()
}
