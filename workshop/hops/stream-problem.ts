import type { Asked } from './ask.ts'

/** Returns why a response cannot be a stream to compare, as the rest of a sentence whose subject is the address. */
export function streamProblem({ problem, head }: Asked): string | undefined {
  if (problem) return problem
  if (!head) return undefined
  const type = head.headers['content-type'] ?? ''
  if (head.status === 204) return 'it answered 204, which tells an EventSource to stop'
  if (head.status >= 300) return `it answered ${`${head.status} ${head.text}`.trim()}`
  if (/^text\/html\b/i.test(type)) {
    return 'it answered with an HTML page, such as a login form or the start page of the app'
  }
  return undefined
}
