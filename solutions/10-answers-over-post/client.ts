// #region 10.2
import { readEvents, type StreamEvent } from './read-events.ts'
// #endregion

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
  // #region 10.2 ask()
  let text = ''
  let cursor: string | undefined
  let resumesLeft = resumes
  const aborts = signal && { signal }
  // Without a response, the question may or may not have arrived, so it is not asked again.
  let response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': id },
    body: JSON.stringify({ question }),
    ...aborts,
  }).catch(() => undefined)

  for (;;) {
    const why = response?.ok === false ? await reasonIn(response) : undefined
    if (why !== undefined && !signal?.aborted) return { name: 'failed', why, text }
    for await (const event of eventsUntilEnd(response)) {
      if (signal?.aborted) break
      const { event: name, data } = event
      if (name === 'done') return { name: 'complete', text }
      if (name === 'stopped') return { name: 'stopped', text }
      if (name === 'error') return { name: 'failed', why: messageIn(data), text }
      if (name !== 'message') continue
      const token = parsed(data)
      // A token that cannot be read would be missing from the text.
      if (typeof token !== 'string') return { name: 'failed', why: `not a token: ${data}`, text }
      text += token
      cursor = event.id
      resumesLeft = resumes
      onToken(token)
    }
    if (signal?.aborted) return { name: 'aborted', text }
    // Nothing has said that the answer is complete, so it is not, even after a clean end.
    if (resumesLeft === 0) return { name: 'incomplete', text }
    resumesLeft -= 1
    response = await fetch(`${url}/${encodeURIComponent(id)}`, {
      headers: cursor === undefined ? {} : { 'Last-Event-ID': cursor },
      ...aborts,
    }).catch(() => undefined)
    if (response?.status === 404) return { name: 'incomplete', text }
  }
  // #endregion
}

/**
 * Stops the answer with this name for all of its readers. Resolves after the server has confirmed it, even if the answer
 * has already ended or is unknown.
 */
export async function stop(url: string, id: string): Promise<void> {
  // #region 10.5 stop()
  const { ok, status } = await fetch(`${url}/${encodeURIComponent(id)}/stop`, { method: 'POST' })
  if (!ok && status !== 404) throw new Error(`the server answered ${status}`)
  // #endregion
}

// #region 10.2
/** Yields the events of a response until it ends. A cut is an end like any other, because neither says that the answer is complete. */
async function* eventsUntilEnd(response: Response | undefined): AsyncGenerator<StreamEvent> {
  if (!response?.body) return
  try {
    yield* readEvents(response.body)
  } catch {
    // The caller sees that no event has ended the answer.
  }
}

/** Returns the value of a text, or undefined if the text is not JSON. */
function parsed(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}
// #endregion

// #region 10.3
function messageIn(data: string): string {
  const error = parsed(data) as { message?: unknown } | null | undefined
  return String(error?.message ?? data)
}

/** Returns the reason why the server refused a request: the `detail` of its problem, or the status. */
async function reasonIn(response: Response): Promise<string> {
  const problem = (await response.json().catch(() => undefined)) as { detail?: string } | undefined
  return problem?.detail ?? `the server answered ${response.status}`
}
// #endregion
