import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { openPromise, type Entry, type ZipFile } from 'yauzl'
import { visible } from '../../wire/visible.ts'
import { isWork } from '../grader/sandbox.ts'
import { LESSON_FOLDER } from '../lessons/catalogue.ts'
import { Sentence } from '../machine-problem.ts'
import { MOST_BYTES, MOST_FILES } from './submission.ts'

/** The contents of an archive. */
export type Unpacked = {
  /** The paths of the first files in the archive, whether they are work or not. */
  found: string[]
  /** The files of lessons that were left out, with the reasons: `ada/01-raw-chunks/server.ts is a link`. */
  leftOut: string[]
}

/**
 * Unpacks the folders of lessons from a zip archive. Skips everything else, so that somebody may hand in a whole clone.
 * Writes only regular files, and limits their number and size.
 *
 * @param folder an empty folder; all files are written inside it
 * @throws Sentence if the archive is too large, encrypted, damaged, or has a path that leads out of the folder
 */
export async function unpack(archive: string, folder: string): Promise<Unpacked> {
  try {
    const zip = await openPromise(archive, { autoClose: false })
    try {
      const { chosen, ...unpacked } = await choose(zip)
      for (const entry of chosen) await write(zip, entry, join(folder, entry.fileName))
      return unpacked
    } finally {
      zip.close()
    }
  } catch (error) {
    if (error instanceof Sentence) throw error
    throw new Sentence(`it cannot be unpacked: ${(error as Error).message}`)
  }
}

/** Chooses the files to unpack before any of them is written, because an archive may be a bomb. */
async function choose(zip: ZipFile): Promise<Unpacked & { chosen: Entry[] }> {
  if (zip.entryCount > MOST_ENTRIES) throw new Sentence(`it has more than ${MOST_ENTRIES} entries`)
  const chosen: Entry[] = []
  const found: string[] = []
  const leftOut: string[] = []
  let bytes = 0
  for await (const entry of zip.eachEntry()) {
    const path = entry.fileName
    // macOS adds a folder with a second file for each file.
    if (path.endsWith('/') || path.startsWith('__MACOSX/')) continue
    if (found.length < MOST_FOUND) found.push(path)
    if (!isOfLesson(path)) continue
    if (chosen.length + leftOut.length === MOST_FILES_IN_ALL) {
      throw new Sentence(`it has more than ${MOST_FILES_IN_ALL} files`)
    }
    const why = reasonAgainst(entry)
    if (why) {
      leftOut.push(`${visible(path)} ${why}`)
      continue
    }
    chosen.push(entry)
    bytes += entry.uncompressedSize
    if (bytes > MOST_BYTES_IN_ALL) {
      throw new Sentence(`its files are larger than ${MOST_BYTES_IN_ALL / 1e6} MB in all`)
    }
  }
  return { chosen, found, leftOut }
}

/** Returns whether a path leads through the folder of a lesson, and is not in a folder that no lesson needs. */
function isOfLesson(path: string): boolean {
  const parts = path.split('/')
  return parts.slice(0, -1).some((part) => LESSON_FOLDER.test(part)) && parts.every(isWork)
}

function reasonAgainst(entry: Entry): string | undefined {
  if (/[\p{Cc}�]/u.test(entry.fileName)) return 'has a name with invalid characters'
  if (((entry.externalFileAttributes >>> 16) & TYPE) === LINK) return 'is a link'
  if (entry.isEncrypted()) return 'is protected by a password'
  if (!entry.canDecodeFileData()) return 'is compressed with an uncommon method'
  if (entry.uncompressedSize > MOST_BYTES) return `is larger than ${MOST_BYTES / 1e6} MB`
  return undefined
}

/** The bits of a Unix file mode that say what kind of file it is, and the value of a symbolic link. */
const TYPE = 0o170000
const LINK = 0o120000

/** Writes a file. The library ends the stream with an error if the file is larger than its entry says. */
async function write(zip: ZipFile, entry: Entry, file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const content = await zip.openReadStreamPromise(entry)
  await pipeline(content, createWriteStream(file, { flags: 'wx' }))
}

/** Enough paths to tell somebody what they have packed instead of a lesson. */
const MOST_FOUND = 100
/** More entries than a clone has that includes its packages. */
const MOST_ENTRIES = 200_000
/** More than all lessons have together. */
const MOST_FILES_IN_ALL = 10 * MOST_FILES
const MOST_BYTES_IN_ALL = 20 * MOST_BYTES
