import { ask, type AskOptions, type Outcome } from '#work/10-answers-over-post/client.ts'
import { isNotWritten } from '../../../protocol/not-written.ts'
import type { Tools } from '../check.ts'
import { deepEqual } from '../equality.ts'
import { describeError, Failure, must } from '../failure.ts'
import { excerptJson } from '../transcript.ts'
import { QUESTION } from './question.ts'

/** A call of the learner's `ask()`. */
export type Asking = {
  /** The tokens that have been passed to `onToken()`. */
  readonly tokens: readonly string[]
  readonly hasReturned: boolean
  /** Waits until these tokens have been passed to `onToken()`. */
  mustHaveTokens(tokens: readonly string[]): Promise<void>
  /** Waits for the outcome, and requires that it is this one, and that its text consists of all the tokens. */
  mustBe(wanted: Outcome, what: string, causes?: Causes): Promise<void>
  /** Waits for the outcome, and returns it. @param what what has happened, as the beginning of a sentence */
  outcome(what: string, late?: string): Promise<Outcome & { text: string }>
}

/** The likely causes if `ask()` does not return, and if it returns another outcome. */
type Causes = { late?: string; wrong?: string | (() => string | undefined) }

type Options = AskOptions & {
  question?: string
  /** The likely cause if `ask()` rejects. */
  whenRejected?: string
}

/** Asks a question with the learner's client. Fails the check if `ask()` rejects. */
export function startAsking(
  t: Tools,
  url: string,
  { question = QUESTION, onToken, whenRejected, ...options }: Options = {},
): Asking {
  const tokens: string[] = []
  let hasReturned = false
  t.transcript.step(`client asks: ${question}`)
  const asking: Promise<Outcome & { text: string }> = ask(url, question, {
    ...options,
    onToken(token) {
      tokens.push(token)
      t.transcript.step(`onToken(${excerptJson(token)})`)
      onToken?.(token)
    },
  })
  const returned = asking.then(
    (value) => {
      hasReturned = true
      return value
    },
    (error: unknown) => {
      throw isNotWritten(error) ? error : rejected(error, whenRejected)
    },
  )
  // The script may be waiting for something else.
  returned.catch((error: unknown) => t.abort(error))

  async function outcome(what: string, late?: string): Promise<Outcome & { text: string }> {
    const value = await t.withTimeout(returned, {
      seen: `${what}, but ask() did not return.`,
      expected: 'Expected ask() to return.',
      often: late,
    })
    t.transcript.step(`ask() returned ${excerptJson(value, 90)}`)
    return value
  }

  return {
    tokens,
    get hasReturned() {
      return hasReturned
    },
    async mustHaveTokens(wanted) {
      await t.waitFor(() => tokens.length >= wanted.length, {
        seen: () =>
          `The server had sent the tokens ${excerptJson(wanted)}, but onToken() had been called with ${excerptJson(tokens)}.`,
        expected: 'Expected your client to call onToken() with each token as soon as it arrives.',
        often: () =>
          hasReturned
            ? undefined
            : 'your client reads the whole response before it looks at the first event.',
      })
      must(deepEqual(tokens, wanted), {
        seen: `The server had sent the tokens ${excerptJson(wanted)}, and onToken() had been called with ${excerptJson(tokens)}.`,
        expected: 'Expected each token once and in order, as parsed from the JSON of its event.',
      })
    },
    outcome,
    async mustBe(wanted, what, { late, wrong } = {}) {
      const { text, ...got } = await outcome(what, late)
      must(deepEqual(got, wanted), {
        seen: `${what}, and ask() returned ${excerptJson(got, 90)}`,
        expected: `Expected ${excerptJson(wanted, 90)}`,
        often: got.name === wanted.name ? undefined : typeof wrong === 'function' ? wrong() : wrong,
      })
      must(text === tokens.join(''), {
        seen: `onToken() was called with ${excerptJson(tokens)}, but the text that ask() returned is ${excerptJson(text)}.`,
        expected: 'Expected the text to be all these tokens together.',
      })
    },
  }
}

function rejected(error: unknown, often: string | undefined): Failure {
  return new Failure({
    seen: `ask() rejected with ${describeError(error)}`,
    expected:
      'Expected ask() to return an outcome, because the text so far counts however the answer has ended.',
    ...(often && { often }),
  })
}
