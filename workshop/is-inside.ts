import { isAbsolute, relative, sep } from 'node:path'

/** Returns whether a path is the folder itself or inside it. */
export function isInside(folder: string, path: string): boolean {
  const inner = relative(folder, path)
  // On Windows, `relative()` returns an absolute path if the two paths are on different drives.
  return !isAbsolute(inner) && inner.split(sep)[0] !== '..'
}
