import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isRunning } from '../process/process-group.ts'
import { storeFolder } from '../store.ts'

/**
 * Creates an empty folder for the files of an archive. It is kept after the command, so that the instructor can read the
 * work and grade it again with `npm test`. The next run of the command removes it.
 */
export function folderToUnpack(name: string): string {
  mkdirSync(UNPACKED, { recursive: true })
  removeEarlier()
  const folder = join(mkdtempSync(join(UNPACKED, `${process.pid}-`)), name)
  mkdirSync(folder)
  return folder
}

const UNPACKED = join(storeFolder, 'unpacked')

/** Removes the folders of processes that have ended. A folder's name begins with the process ID. */
function removeEarlier(): void {
  for (const name of readdirSync(UNPACKED)) {
    if (isRunning(Number(name.split('-')[0]))) continue
    rmSync(join(UNPACKED, name), { recursive: true, force: true })
  }
}
