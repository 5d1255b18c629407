import { randomUUID } from 'node:crypto'
import { ask, stop } from '../../solutions/10-answers-over-post/client.ts'
import type { ClientState } from '../../protocol/page.ts'
import type { PageClient } from '../session/page-client.ts'

/** A client that reads one answer, and can stop it. */
export type AnswerClient = PageClient & {
  /** Asks the server to stop the answer. */
  stop(): Promise<void>
}

/**
 * Asks a question with the client of lesson 10.
 *
 * @param options.resumes how often in a row it fetches the rest of a truncated answer
 */
export function connectAnswerClient({
  id,
  url,
  question,
  resumes,
  changed,
}: {
  id: number
  url: string
  question: string
  resumes: number
  changed(): void
}): AnswerClient {
  const state: ClientState = { id, state: 'connecting', quakes: 0, last: [] }
  const key = randomUUID()
  const left = new AbortController()

  async function read(): Promise<void> {
    let answer = { tokens: 0, text: '' }
    const { name } = await ask(url, question, {
      id: key,
      signal: left.signal,
      resumes,
      onToken(token) {
        answer = { tokens: answer.tokens + 1, text: answer.text + token }
        state.state = 'reading'
        state.answer = answer
        changed()
      },
    })
    state.state = ENDS[name]
    changed()
  }

  void read()
  return {
    state,
    leave: () => left.abort(),
    stop: () => stop(url, key),
  }
}

const ENDS = {
  complete: 'ended',
  stopped: 'ended',
  aborted: 'left',
  incomplete: 'cut',
  failed: 'refused',
} as const
