import { pathToFileURL } from 'node:url'
import type { Meter } from '../../protocol/runtime.ts'
import type { Answer } from '../../solutions/10-answers-over-post/answer.ts'

/**
 * Returns the arguments for the `createApp()` of a server that answers questions: the generator of answers, whose tokens
 * are counted, and the options.
 *
 * @param file the path of answer.ts
 * @param changed called whenever a token has been generated, and when an answer begins or ends
 */
export async function answersFrom(
  file: string,
  changed: (meter: Meter) => void,
): Promise<[Answer, { resumeMs: number }]> {
  const { answer } = (await import(pathToFileURL(file).href)) as { answer?: Answer }
  if (typeof answer !== 'function') throw new Error('answer.ts does not export answer()')
  return [metered(answer, changed), { resumeMs: RESUME_MS }]
}

/** The question that clients ask. */
export const QUESTION = 'Why do earthquakes happen?'

/** How long an answer goes on without a reader. Long enough to see that it goes on, and less than an answer takes. */
const RESUME_MS = 2000

function metered(answer: Answer, changed: (meter: Meter) => void): Answer {
  let tokens = 0
  let answers = 0
  return async function* (question, signal) {
    answers += 1
    changed({ tokens, answers })
    try {
      for await (const token of answer(question, signal)) {
        tokens += 1
        changed({ tokens, answers })
        yield token
      }
    } finally {
      answers -= 1
      changed({ tokens, answers })
    }
  }
}
