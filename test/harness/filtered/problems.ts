import { must } from '../failure.ts'
import { excerpt } from '../transcript.ts'
import { STREAM, type Account, type Answer } from './account.ts'
import { RecordStream } from './record-stream.ts'

/** Requires that an answer is a problem as in RFC 9457. */
export function mustBeProblem(
  { status, type, text, json }: Answer,
  wanted: number,
  request: string,
): void {
  must(status === wanted, {
    seen: `${request} was answered with status ${status}.`,
    expected: `Expected status ${wanted}.`,
  })
  const isProblem = /^application\/problem\+json\s*(;|$)/i.test(type)
  must(isProblem && typeof json?.type === 'string' && json.status === wanted, {
    seen: `${request} was answered with the Content-Type ${type || '(none)'} and the body ${excerpt(text, 90)}`,
    expected: `Expected application/problem+json with a "type", a "title" and the "status" ${wanted}, as sendProblem() sends it.`,
  })
}

type RuleProblem = { id?: string; value?: string; column?: number; detail?: string }

/** Returns the `errors` of a problem. */
export function errorsOf({ json }: Answer): RuleProblem[] {
  return Array.isArray(json?.errors) ? json.errors : []
}

/** Asks for a stream that is over the limit, and requires that the server refuses it. */
export async function mustRefuse(account: Account): Promise<Answer> {
  const answer = await account.ask({ name: 'client over the limit' })
  must(!(answer instanceof RecordStream), {
    seen: `The account already had maxConnections streams open, but GET ${STREAM} opened one more.`,
    expected: 'Expected status 429.',
  })
  mustBeProblem(
    answer,
    429,
    `GET ${STREAM} of an account that already had maxConnections streams open`,
  )
  return answer
}
