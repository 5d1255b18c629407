/**
 * The answer to a blocked read. It contains the entries that the history had at the time of the call (`as it was`) or
 * of the answer (`as it is`).
 */
export type AnswerAs = 'as it was' | 'as it is'

/** The reads of a history, which wait while they are blocked. */
export type BlockableReads<Answer> = {
  read(id: string | undefined): Promise<Answer>
  /** The kind of answer that blocked reads will get. Undefined if reads are not blocked. */
  readonly blocked: AnswerAs | undefined
  /** The number of reads that are waiting. */
  readonly waiting: number
  block(answer: AnswerAs): void
  /** Answers the waiting reads, and stops blocking. */
  unblock(): void
}

/** Wraps `read`, so that its calls can be blocked. */
export function blockableReads<Answer>(
  read: (id: string | undefined) => Answer | Promise<Answer>,
): BlockableReads<Answer> {
  let blocked: AnswerAs | undefined
  let waiting: (() => void)[] = []
  return {
    async read(id) {
      if (!blocked) return read(id)
      const asItWas = blocked === 'as it was' ? read(id) : undefined
      await new Promise<void>((resolve) => waiting.push(resolve))
      return asItWas ?? read(id)
    },
    get blocked() {
      return blocked
    },
    get waiting() {
      return waiting.length
    },
    block(answer) {
      blocked = answer
    },
    unblock() {
      blocked = undefined
      const readers = waiting
      waiting = []
      for (const go of readers) go()
    },
  }
}
