import { extname } from 'node:path'

/** Returns whether a file is an archive that can be graded as it is. */
export function isZip(name: string): boolean {
  return extname(name).toLowerCase() === '.zip'
}

/** Returns whether a file is an archive of any kind. */
export function isPacked(name: string): boolean {
  return ARCHIVES.includes(extname(name).toLowerCase())
}

const ARCHIVES = ['.zip', '.tar', '.gz', '.tgz', '.bz2', '.xz', '.7z', '.rar']
