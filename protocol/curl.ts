import type { ServerState } from './page.ts'

/** Returns the arguments with which curl shows the stream of a server. */
export function curlArguments({ url, token }: Pick<ServerState, 'url' | 'token'>): string {
  // Double quotes work in every shell.
  return `-N ${token === undefined ? '' : `-H "Authorization: Bearer ${token}" `}${url}`
}
