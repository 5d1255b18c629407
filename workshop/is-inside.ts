import { isAbsolute, relative, sep } from 'node:path'

/** Whether a path is the folder itself or lies in it. */
export function isInside(folder: string, path: string): boolean {
  const inner = relative(folder, path)
  // On Windows there is no way from one drive to another: then it is absolute.
  return !isAbsolute(inner) && inner.split(sep)[0] !== '..'
}
