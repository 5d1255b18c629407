import { createWriteStream, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { ZipFile } from 'yazl'
import { filesIn } from './files-in.ts'

/** Packs all files in a folder into an archive, as people do without `npm run hand-in`. */
export async function zipOf(folder: string, archive: string): Promise<void> {
  const zip = new ZipFile()
  for (const path of filesIn(folder)) zip.addFile(join(folder, path), path)
  zip.end()
  mkdirSync(dirname(archive), { recursive: true })
  await pipeline(zip.outputStream, createWriteStream(archive))
}
