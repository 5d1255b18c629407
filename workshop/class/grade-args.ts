import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { isInside } from '../is-inside.ts'
import { lessons, listed, type Lesson } from '../lessons/catalogue.ts'
import { callersFolder, folderCalled, takeReference, type Problem } from '../lessons/args.ts'
import { isPacked, asTyped, peopleIn, type Person } from './people.ts'

/** The parsed arguments of `npm run grade`. */
export type GradeArgs = {
  people: Person[]
  lessons: Lesson[]
  /** The folder to write the tables to. */
  to: string
  /** Whether to discard the stored grades. */
  isAgain: boolean
}

/** Parses folders, `lesson3`, `again` and `to FOLDER`, in any order. */
export function parseGradeArgs(args: string[]): GradeArgs | Problem {
  const left = args.filter((arg) => arg !== '')
  const all = lessons()
  const folders: string[] = []
  const chosen: Lesson[] = []
  let to = callersFolder()
  let isAgain = false

  while (left.length > 0) {
    const reference = takeReference(left)
    if (reference) {
      const { number, only } = reference
      const lesson = all.find((each) => each.number === number)
      if (only) return { problem: `You can only grade whole lessons: ${number}, not ${only}.` }
      if (!lesson) return { problem: `There is no lesson ${number}. Lessons: ${listed(all)}.` }
      chosen.push(lesson)
      continue
    }
    const arg = left.shift()!
    if (arg === 'again') {
      isAgain = true
      continue
    }
    const named = arg === 'to' ? left.shift() : arg
    if (named === undefined) return { problem: 'Name the folder for the tables: to FOLDER' }
    const folder = folderCalled(named)
    if (!folder) return { problem: noFolder(named) }
    if (arg === 'to') to = folder
    else folders.push(folder)
  }

  if (folders.length === 0) return { problem: `Name the folders to grade. ${LAYOUT}` }
  const people = peopleIn(folders)
  if (people.length === 0) {
    return { problem: `There is no work in ${folders.map(asTyped).join(' or ')}. ${LAYOUT}` }
  }
  const owner = people.find(({ root }) => isInside(root, to))
  if (owner) {
    return {
      problem: `The tables cannot be saved in the work of ${owner.name}. Name another folder: npm run grade -- FOLDERS… to FOLDER`,
    }
  }
  return { people, lessons: chosen.length > 0 ? chosen : all, to, isAgain }
}

const LAYOUT =
  'A folder is laid out like lessons/, or contains such a folder for each person. For example: npm run grade -- class'

function noFolder(arg: string): string {
  const isFile = existsSync(resolve(callersFolder(), arg))
  if (isFile && isPacked(arg)) return `${arg} is packed. Unpack it, and name the unpacked folder.`
  return `There is no folder "${arg}". Besides folders, you can use: lesson1, again, to FOLDER.`
}
