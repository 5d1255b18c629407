/** The answer to a read that had to wait: the entries at the time of the call, or at the time of the answer. */
export type AnswerAs = 'as it was' | 'as it is'

/** Reads that can be blocked. A read waits while reads are blocked. */
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
