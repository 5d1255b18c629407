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
  const state: Progress = { text: '', cursor: undefined, hasNews: false, isResuming: false }
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': id }
  const body = JSON.stringify({ question })
  const request = (path: string, init: RequestInit): Promise<Outcome | undefined> =>
    attempt(() => fetch(path, { ...init, signal: signal ?? null }), state, onToken, signal)

  let outcome = await request(url, { method: 'POST', headers, body })
  for (let failures = 0; outcome === undefined && failures < resumes;) {
    state.isResuming = true
    const resumed: Record<string, string> =
      state.cursor === undefined ? {} : { 'Last-Event-ID': state.cursor }
    outcome = await request(`${url}/${encodeURIComponent(id)}`, { headers: resumed })
    failures = state.hasNews ? 0 : failures + 1
  }
  return { ...(outcome ?? { name: 'incomplete' }), text: state.text }
}

type Progress = { text: string; cursor: string | undefined; hasNews: boolean; isResuming: boolean }

/** Sends one request, and reads its response. Returns undefined if the response was truncated. */
async function attempt(
  send: () => Promise<Response>,
  state: Progress,
  onToken: (token: string) => void,
  signal: AbortSignal | undefined,
): Promise<Outcome | undefined> {
  state.hasNews = false
  let reader: ReadableStreamDefaultReader<string> | undefined
  try {
    const response = await send()
    if (response.status === 404 && state.isResuming) return { name: 'incomplete' }
    if (!response.ok) return { name: 'failed', why: await reasonIn(response) }
    const decoder = new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>
    reader = response.body!.pipeThrough(decoder).getReader()
    let begun = ''
    for (;;) {
      const { done, value = '' } = await reader.read()
      if (signal?.aborted) return { name: 'aborted' }
      if (done) return undefined
      const blocks = (begun + value).split('\n\n')
      begun = blocks.pop()!
      let outcome: Outcome | undefined
      for (const block of blocks) {
        if (outcome) break
        outcome = take(block, state, onToken)
        if (signal?.aborted) return { name: 'aborted' }
      }
      if (outcome) return outcome
    }
  } catch {
    return signal?.aborted ? { name: 'aborted' } : undefined
  } finally {
    reader?.cancel().catch(() => {})
  }
}

/** Takes one event. Returns an outcome if the event ends the answer. */
function take(
  block: string,
  state: Progress,
  onToken: (token: string) => void,
): Outcome | undefined {
  const lines = block.split('\n').map((line) => line.split(/: ?(.*)/s))
  const field = (name: string): string | undefined => lines.find(([key]) => key === name)?.[1]
  const data = field('data')
  if (data === undefined) return undefined
  switch (field('event') ?? 'message') {
    case 'message': {
      const token = parsed(data)
      if (typeof token !== 'string') return { name: 'failed', why: 'a token was not a string' }
      state.text += token
      state.cursor = field('id')
      state.hasNews = true
      onToken(token)
      return undefined
    }
    case 'done':
      return { name: 'complete' }
    case 'stopped':
      return { name: 'stopped' }
    case 'error':
      return { name: 'failed', why: String(parsed(data)?.message ?? data) }
    default:
      return undefined
  }
}

function parsed(data: string): any {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}

/**
 * Stops the answer with this name for all of its readers. Resolves after the server has confirmed it, even if the answer
 * has already ended or is unknown.
 */
export async function stop(url: string, id: string): Promise<void> {
  const { ok, status } = await fetch(`${url}/${encodeURIComponent(id)}/stop`, { method: 'POST' })
  if (!ok && status !== 404) throw new Error(`the server answered ${status}`)
}
/** Returns the reason why the server refused a request: the `detail` of its problem, or the status. */
async function reasonIn(response: Response): Promise<string> {
  const problem = await response.json().catch(() => undefined)
  return problem?.detail ?? `the server answered ${response.status}`
}
