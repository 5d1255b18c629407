/** Returns the message that a stub throws: `lesson 1, task 1.1: write createApp()`. */
export function notWritten(task: string, name: string): string {
  return `lesson ${Number.parseInt(task)}, task ${task}: write ${name}`
}

/** Returns whether a stub threw this error, because code that is not written yet does not count as wrong. */
export function isNotWritten(error: unknown): error is Error {
  return error instanceof Error && /^lesson \d+, task \d+\.\d+: write /.test(error.message)
}

/** Returns the part of a stub's message that says what to do: `write createApp()`. */
export function whatToWrite(sentence: string): string {
  return sentence.replace(/^.*: /, '')
}
