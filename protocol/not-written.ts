/** What a stub says in place of a task's code: `lesson 1, task 1.1: write createApp()`. */
export function notWritten(task: string, name: string): string {
  return `lesson ${Number.parseInt(task)}, task ${task}: write ${name}`
}

/** Returns whether a stub threw this. What is not written yet is not wrong. */
export function isNotWritten(error: unknown): error is Error {
  return error instanceof Error && /^lesson \d+, task \d+\.\d+: write /.test(error.message)
}

/** What is to be done, of what a stub says: `write createApp()`. */
export function whatToWrite(sentence: string): string {
  return sentence.replace(/^.*: /, '')
}
