import { createWriteStream, existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { ZipFile } from 'yazl'
import type { Lesson } from '../lessons/catalogue.ts'
import { solutionFiles } from '../lessons/stubs.ts'
import { isUntouched, readSubmission } from './submission.ts'

/** What a learner hands in for one lesson. */
export type HandIn = {
  lesson: Lesson
  /** The contents by path. Paths are relative to the lesson's folder, with `/`. */
  files: [path: string, bytes: Buffer][]
  /** The files that were left out, with the reasons: `lines.ts is a link`. */
  leftOut: string[]
}

/** Returns the sources of the lessons that have been begun. The README of a lesson, its exhibit and anything else are not sources. */
export async function sourcesIn(folder: string, lessons: Lesson[]): Promise<HandIn[]> {
  const there = lessons.filter((lesson) => existsSync(join(folder, lesson.folder)))
  const submissions = await Promise.all(there.map((lesson) => readSubmission(folder, lesson)))
  return submissions
    .filter((submission) => !isUntouched(submission) || submission.leftOut.length > 0)
    .map(({ lesson, files, leftOut }) => ({
      lesson,
      files: [...files].filter(([path]) => isSource(path, lesson)).toSorted(byPath),
      leftOut,
    }))
}

/** Packs the sources into a zip archive, in a folder with the learner's name. */
export async function packHandIn(file: string, name: string, handedIn: HandIn[]): Promise<void> {
  const zip = new ZipFile()
  for (const { lesson, files } of handedIn) {
    for (const [path, bytes] of files) zip.addBuffer(bytes, `${name}/${lesson.folder}/${path}`)
  }
  zip.end()
  // An earlier hand-in of the same name is never overwritten.
  const out = createWriteStream(file, { flags: 'wx' })
  try {
    await pipeline(zip.outputStream, out)
  } catch (error) {
    // On a full disk, the file exists, but without its end.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') await rm(file, { force: true })
    throw error
  }
}

/** Returns whether the learner has received a file to edit it, or has added a source file. */
function isSource(path: string, { folder }: Lesson): boolean {
  if (solutionFiles(folder).includes(path)) return true
  const isHidden = path.split('/').some((part) => part.startsWith('.'))
  return !isHidden && isSourceFile(path)
}

/** Returns whether a lesson's code may import or read a file with this name. */
export function isSourceFile(name: string): boolean {
  return SOURCES.includes(extname(name))
}

const SOURCES = ['.ts', '.tsx', '.mts', '.js', '.jsx', '.mjs', '.json', '.css', '.conf']

function byPath([a]: [string, Buffer], [b]: [string, Buffer]): number {
  return a < b ? -1 : 1
}
