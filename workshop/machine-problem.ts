import { ROOT } from './root.ts'

/** An error whose message is a sentence for the user, because it is not a fault of the workshop. */
export class Sentence extends Error {}

/**
 * Describes an error of the machine, such as a full disk, in a sentence. Returns undefined for any other error, which is a
 * fault of the workshop.
 */
export function machineProblem(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if (error instanceof Sentence) return error.message
  const { code = '', path, dest, message } = error as NodeJS.ErrnoException & { dest?: string }
  if (code === 'ERR_MODULE_NOT_FOUND') {
    // Only a package can be missing, because the workshop's own files belong together.
    const [, name] = /Cannot find (?:package|module) '([^']+)'/.exec(message) ?? []
    return `The package ${name ?? 'of the workshop'} is missing or incomplete. To install the packages again: npm ci`
  }
  const why = REASONS[code]
  if (!why) return undefined
  const file = (dest ?? path)?.replace(`${ROOT}/`, '')
  return file
    ? `${file} cannot be written, because ${why}.`
    : `This cannot be done, because ${why}.`
}

const REASONS: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'your quota on the disk is used up',
  EROFS: 'the disk is read-only',
  EACCES: 'you do not have the permission',
  EPERM: 'you do not have the permission',
  ENOTDIR: 'a file is in the place of a folder',
  EEXIST: 'a file is in the place of a folder',
  EISDIR: 'a folder is in the place of a file',
  EMFILE: 'this process has too many files open',
  ENFILE: 'this machine has too many files open',
  ENOMEM: 'the memory is full',
}
