import type { Answer } from '#work/10-answers-over-post/answer.ts'
import type { Tools } from '../check.ts'
import { FeedError } from '../controlled-feed.ts'
import { excerptJson } from '../transcript.ts'

/** An answer whose tokens the check generates by hand. */
export type ControlledAnswer = {
  readonly answer: Answer
  /** The generators that have been asked for a token, in the order in which this happened. */
  readonly generators: readonly Generator[]
  /** Waits until more than `count` generators have been asked, and returns the one after these. */
  asked(count: number, often?: string): Promise<Generator>
}

/** One call of `answer()`. */
export type Generator = {
  readonly question: string
  /** The number of tokens that the app has asked for. */
  readonly pulls: number
  /** Whether the app has passed a signal. */
  readonly hasSignal: boolean
  readonly aborted: boolean
  /** Whether the generator has ended, for any reason. */
  readonly isClosed: boolean
  /** Generates tokens. The app gets them one after the other, as it asks for them. */
  release(...tokens: string[]): void
  /** Ends the answer. */
  finish(): void
  /** Makes the generator throw an error, or any other value. */
  fail(thrown: unknown): void
}

/** What a generator does when its signal aborts: it throws, like `fetch`, or it returns, or it has not noticed. */
export type OnAbort = 'throws' | 'returns' | 'ignores'

type Happening = { token: string } | { end: true } | { thrown: unknown }

export function controlledAnswer(t: Tools, onAbort: OnAbort = 'throws'): ControlledAnswer {
  const generators: Generator[] = []

  async function* answer(question: string, signal?: AbortSignal): AsyncGenerator<string> {
    const happened: Happening[] = []
    let wake = (): void => {}
    let pulls = 0
    let isClosed = false
    const name = `generator ${generators.length + 1}`
    const happen = (...happenings: Happening[]): void => {
      happened.push(...happenings)
      wake()
    }
    const noticeAbort = (): void => {
      t.transcript.step(`the signal of ${name} aborted`)
      wake()
    }
    generators.push({
      question,
      get pulls() {
        return pulls
      },
      hasSignal: signal !== undefined,
      get aborted() {
        return signal?.aborted === true
      },
      get isClosed() {
        return isClosed
      },
      release(...tokens) {
        const which = tokens.length > 3 ? `${tokens.length} tokens` : tokens.map(quoted).join(', ')
        t.transcript.step(`${name} generated ${which}`)
        happen(...tokens.map((token) => ({ token })))
      },
      finish() {
        t.transcript.step(`${name} has generated the whole answer`)
        happen({ end: true })
      },
      fail(thrown) {
        t.transcript.step(`${name} failed: ${thrown instanceof Error ? thrown.message : thrown}`)
        happen({ thrown })
      },
    })
    t.transcript.step(`${name} was asked: ${question}`)
    signal?.addEventListener('abort', noticeAbort)
    try {
      for (;;) {
        pulls += 1
        while (happened.length === 0 && !(signal?.aborted && onAbort !== 'ignores')) {
          await new Promise<void>((resolve) => (wake = resolve))
        }
        if (signal?.aborted && onAbort !== 'ignores') {
          if (onAbort === 'returns') return
          throw signal.reason
        }
        const happening = happened.shift()!
        if ('thrown' in happening) throw happening.thrown
        if ('end' in happening) return
        yield happening.token
      }
    } finally {
      isClosed = true
      signal?.removeEventListener('abort', noticeAbort)
    }
  }

  return {
    answer,
    generators,
    async asked(count, often) {
      await t.waitFor(() => generators.length > count, {
        seen: 'A question arrived, but your handler asked no generator for a token.',
        expected:
          'Expected your handler to call answer(question, signal), and to ask for its first token at once.',
        often,
      })
      return generators[count]!
    },
  }
}

/** The error of a generator, such as a model that is overloaded. It never counts as a mistake in the learner's code. */
export function generatorError(message: string): Error {
  return new FeedError(message)
}

function quoted(token: string): string {
  return excerptJson(token)
}
