import type { Outcome } from './client.ts'

/** The state of the latest question. After the end of its answer, this is the outcome. */
export type AnswerState =
  | { name: 'idle' }
  | { name: 'answering'; question: string }
  | (Outcome & { question: string })

/** The text of an answer, outside React's state, so that only the components that show the text render while it grows. */
export type TextStore = {
  /** Calls the listener after the text has changed. Returns a function that removes the listener. */
  subscribe(listener: () => void): () => void
  getSnapshot(): string
}

/**
 * Asks the server at `url` one question at a time, and reads the answer while the component is mounted. A new question
 * stops the answer that is still running.
 *
 * @returns the state, and the text of the latest answer, which grows without rendering the caller
 */
export function useAnswer(url: string): {
  state: AnswerState
  text: TextStore
  ask(question: string): void
  stop(): void
} {
  throw new Error('lesson 10, task 10.7: write useAnswer()')
}
