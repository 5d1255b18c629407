/** How an answer ended for the client. */
export type Outcome =
  /** `complete` only if the server said so. `stopped` by a stop, `aborted` by the caller, `incomplete` if nothing said why. */
  | { name: 'complete' | 'stopped' | 'aborted' | 'incomplete' }
  /** The server refused the question, its generator failed, or it sent data that cannot be read. */
  | { name: 'failed'; why: string }

export type AskOptions = {
  /** The name of the answer, which is the `Idempotency-Key`. */
  id?: string
  /** Disconnects when it aborts. */
  signal?: AbortSignal
  /** Called with each token. */
  onToken?(token: string): void
  /** How many times in a row, without a new token, the rest of a truncated answer is fetched. */
  resumes?: number
}

/**
 * Asks a question, and reads the answer to its end. Asks only once, because each question costs money. However the answer ends,
 * returns an outcome, because the text so far counts. Rejects only with an error that `onToken()` throws.
 *
 * @param url the address of `/answers`
 */
export async function ask(
  url: string,
  question: string,
  { id = crypto.randomUUID(), signal, onToken = () => {}, resumes = 0 }: AskOptions = {},
): Promise<Outcome & { text: string }> {
  throw new Error('lesson 10, task 10.2: write ask()')
}

/**
 * Stops the answer with this name for all of its readers. Resolves after the server has confirmed it, even if the answer
 * has already ended or is unknown.
 */
export async function stop(url: string, id: string): Promise<void> {
  throw new Error('lesson 10, task 10.5: write stop()')
}
