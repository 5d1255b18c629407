import { existsSync } from 'node:fs'
import { isAbsolute, relative, resolve, sep } from 'node:path'
import { lessons, listed, type Lesson } from '../lessons/catalogue.ts'
import { callersFolder, folderCalled, takeReference, type Problem } from '../lessons/words.ts'
import { isPacked, pathOf, peopleIn, type Person } from './people.ts'

/** What the words behind `npm run grade` ask for. */
export type Asked = {
  people: Person[]
  lessons: Lesson[]
  /** Where the tables go. */
  to: string
  /** Forget the grades that are kept. */
  isAgain: boolean
}

/** Reads folders, and among them `lesson3`, `again` and `to FOLDER`, in any order. */
export function parseGradeWords(words: string[]): Asked | Problem {
  const left = words.filter((word) => word !== '')
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
      if (only) return { problem: `Lessons are graded whole: ${number}, not ${only}.` }
      if (!lesson) return { problem: `There is no lesson ${number}. Lessons: ${listed(all)}.` }
      chosen.push(lesson)
      continue
    }
    const word = left.shift()!
    if (word === 'again') {
      isAgain = true
      continue
    }
    const named = word === 'to' ? left.shift() : word
    if (named === undefined) return { problem: 'Say where the tables go: to FOLDER' }
    const folder = folderCalled(named)
    if (!folder) return { problem: noFolder(named) }
    if (word === 'to') to = folder
    else folders.push(folder)
  }

  if (folders.length === 0) return { problem: `Say whose work. ${LAYOUT}` }
  const people = peopleIn(folders)
  if (people.length === 0) {
    return { problem: `Nobody's work is in ${folders.map(pathOf).join(' or ')}. ${LAYOUT}` }
  }
  const owner = people.find(({ root }) => isIn(root, to))
  if (owner) {
    return {
      problem: `The tables do not go into the work of ${owner.name}. Say where: npm run grade -- FOLDERS… to FOLDER`,
    }
  }
  return { people, lessons: chosen.length > 0 ? chosen : all, to, isAgain }
}

const LAYOUT =
  'A folder is laid out like lessons/, or has such a folder for each person, as in: npm run grade -- class'

function noFolder(word: string): string {
  const isFile = existsSync(resolve(callersFolder(), word))
  if (isFile && isPacked(word)) return `${word} is packed. Unpack it, and say the folder.`
  return `There is no folder "${word}". Beside folders one can say: lesson1, again, to FOLDER.`
}

/** The folder itself, too. */
function isIn(folder: string, path: string): boolean {
  const inner = relative(folder, path)
  return !isAbsolute(inner) && inner.split(sep)[0] !== '..'
}
