import type { ServerState } from './page.ts'

/** Returns the arguments with which curl shows the stream of a server. */
export function curlArguments({
  url,
  token,
  question,
}: Pick<ServerState, 'url' | 'token' | 'question'>): string {
  // Double quotes work in every shell.
  const headers = {
    ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    ...(question !== undefined && {
      'Content-Type': 'application/json',
      'Idempotency-Key': 'curl-1',
    }),
  }
  const fields = Object.entries(headers).map(([name, value]) => `-H "${name}: ${value}" `)
  const body = question === undefined ? '' : `-d "{\\"question\\":\\"${question}\\"}" `
  return `-N ${fields.join('')}${body}${url}`
}
