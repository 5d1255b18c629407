import { statSync, type Dirent } from 'node:fs'
import { basename, dirname, extname, join, parse, relative } from 'node:path'
import { visible } from '../../wire/visible.ts'
import { isInside } from '../is-inside.ts'
import { lessons } from '../lessons/catalogue.ts'
import { callersFolder } from '../lessons/args.ts'
import { isPacked, isZip } from './archive.ts'
import { isSourceFile } from './hand-in.ts'
import { entriesOf, isOnePersons, lessonsInFolder, lessonsInZip } from './lessons-in.ts'

/** A person who has handed in work. */
export type Person = {
  /** The name of the folder, or of the file without its extension. If two people have the same name, it is their path. */
  name: string
  /** The folder or the archive with everything that the person handed in. */
  root: string
  /** The folder that is laid out like `lessons/`: `root` itself, a folder inside it, or one with the unpacked files. */
  folder: string
  /** The reason why none of the work can be graded. */
  problem?: string
  /** The files of an archive that were not unpacked, with the reasons. */
  leftOut?: string[]
  /** Whether this is not a person, but a folder that got among the people by mistake. */
  isStray?: boolean
}

/**
 * Returns the people whose work is at these paths. An archive, or a folder that is laid out like `lessons/`, belongs to one
 * person. Any other folder contains a folder or an archive for each person. Links are not followed, because they may lead
 * to the solutions or out of the submission.
 *
 * @param paths absolute paths
 */
export async function peopleIn(paths: string[]): Promise<Person[]> {
  const handedIn = new Map(paths.flatMap(handedInAt).map((each) => [each.root, each]))
  const all = await Promise.all([...handedIn.values()].map(personOf))
  const people = [...new Map(all.map((person) => [person.folder, person])).values()]
  const names = people.map(({ name }) => name)
  return people
    .map((person) => {
      const isAlone = names.indexOf(person.name) === names.lastIndexOf(person.name)
      return isAlone ? person : { ...person, name: visible(asTyped(person.root)) }
    })
    .toSorted((a, b) => a.name.localeCompare(b.name, 'en'))
}

/** Returns the path of a folder as the caller would type it. */
export function asTyped(folder: string): string {
  const here = callersFolder()
  return isInside(here, folder) ? relative(here, folder) || '.' : folder
}

/** The name of the folder with the feedback of an earlier run, which may be among the submissions. */
export const FEEDBACK = 'feedback'

/** Something in the folder of a class that is somebody's work, or is meant to be. */
type HandedIn = {
  root: string
  name: string
  kind: 'folder' | 'zip' | 'other archive' | 'source' | 'link' | 'stray lesson'
}

function handedInAt(path: string): HandedIn[] {
  const name = basename(path)
  if (isZip(path) && statSync(path).isFile()) return [{ root: path, name, kind: 'zip' }]
  if (isOnePersons(path)) {
    const owner = name === 'lessons' ? basename(dirname(path)) : name
    return [{ root: path, name: owner, kind: 'folder' }]
  }
  return entriesOf(path).flatMap((entry) => {
    const kind = kindOf(entry)
    return kind ? [{ root: join(path, entry.name), name: entry.name, kind }] : []
  })
}

/** Returns undefined for a file that is not a submission, such as a list of names or a table of grades. */
function kindOf(entry: Dirent): HandedIn['kind'] | undefined {
  const { name } = entry
  if (entry.isSymbolicLink()) return 'link'
  if (entry.isDirectory()) {
    if (name === FEEDBACK) return undefined
    return lessons().some(({ folder }) => folder === name) ? 'stray lesson' : 'folder'
  }
  if (isZip(name)) return 'zip'
  if (isPacked(name)) return 'other archive'
  return isSourceFile(name) && extname(name) !== '.json' ? 'source' : undefined
}

async function personOf({ root, name, kind }: HandedIn): Promise<Person> {
  const person = { name: visible(name), root, folder: root }
  const file = { ...person, name: visible(parse(name).name) }
  switch (kind) {
    case 'folder':
      return { ...person, ...(await lessonsInFolder(root)) }
    case 'zip':
      return { ...file, ...(await lessonsInZip(root)) }
    case 'other archive':
      return { ...file, problem: `${visible(name)} is not a zip archive, so unpack it first` }
    case 'source':
      return { ...file, problem: `${visible(name)} is a file, and not a folder with lessons` }
    case 'stray lesson': {
      const problem = 'it is the folder of a lesson, so its owner is unknown'
      return { ...person, problem, isStray: true }
    }
    case 'link': {
      const problem = 'it is a link, and links are not followed'
      return { ...person, problem, isStray: true }
    }
  }
}
