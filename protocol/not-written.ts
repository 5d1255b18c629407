/** What a stub says in place of a task's code: `lesson 1, task 1.1: write createApp()`. */
export function notWritten(task: string, name: string): string {
  return `lesson ${Number.parseInt(task)}, task ${task}: write ${name}`
}

/** Whether somebody's code was ended by a stub, as the message of its error says. */
export function isNotWritten(message: string): boolean {
  return /^lesson \d+, task \d+\.\d+: write /.test(message)
}

/** What is to be done, of what a stub says: `write createApp()`. */
export function whatToWrite(sentence: string): string {
  return sentence.replace(/^.*: /, '')
}
