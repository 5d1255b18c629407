import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { isInside } from '../is-inside.ts'
import { lessons, listed, type Lesson } from '../lessons/catalogue.ts'
import { callersFolder, folderCalled, takeReference, type Problem } from '../lessons/args.ts'
import { isPacked, isZip } from './archive.ts'
import { asTyped, peopleIn, type Person } from './people.ts'

/** The parsed arguments of `npm run grade`. */
export type GradeArgs = {
  people: Person[]
  lessons: Lesson[]
  /** The folder to write the tables to. It may not exist yet. */
  to: string
  /** Whether to discard the stored grades. */
  isAgain: boolean
}

/** Parses folders and archives, `lesson3`, `again` and `to FOLDER`, in any order. Unpacks the archives. */
export async function parseGradeArgs(args: string[]): Promise<GradeArgs | Problem> {
  const left = args.filter((arg) => arg !== '')
  const all = lessons()
  const places: string[] = []
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
    if (arg === 'to') {
      const named = left.shift()
      if (named === undefined) return { problem: 'Name the folder for the tables: to FOLDER' }
      to = folderCalled(named) ?? resolve(callersFolder(), named)
      if (existsSync(to) && !statSync(to).isDirectory()) {
        return { problem: `The tables cannot be saved in ${named}, because it is a file.` }
      }
      continue
    }
    const place = folderCalled(arg) ?? zipCalled(arg)
    if (!place) return { problem: noFolder(arg) }
    places.push(place)
  }

  if (places.length === 0) return { problem: `Name the folders to grade. ${LAYOUT}` }
  const people = await peopleIn(places)
  if (people.length === 0) {
    return { problem: `There is no work in ${places.map(asTyped).join(' or ')}. ${LAYOUT}` }
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
  'A folder is laid out like lessons/, or contains such a folder or a zip archive for each person. For example: npm run grade -- class'

/** Finds a zip archive by its path, relative to the user's folder. */
function zipCalled(arg: string): string | undefined {
  const path = resolve(callersFolder(), arg)
  return isZip(path) && existsSync(path) ? path : undefined
}

function noFolder(arg: string): string {
  const isFile = existsSync(resolve(callersFolder(), arg))
  if (isFile && isPacked(arg)) {
    return `${arg} is not a zip archive. Unpack it, and name the unpacked folder.`
  }
  return `There is no folder or zip archive "${arg}". You can also use: lesson1, again, to FOLDER.`
}
