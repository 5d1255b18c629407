/** What readers get that had to wait: what there was when they asked, or what there is when they are let go. */
export type AnswerAs = 'as it was' | 'as it is'

/** Reads that have to wait while they are blocked. */
export type BlockableReads<Answer> = {
  read(id: string | undefined): Promise<Answer>
  /** How reads are blocked, if they are. */
  readonly blocked: AnswerAs | undefined
  /** How many wait. */
  readonly waiting: number
  block(answer: AnswerAs): void
  /** Answers those that wait, and those that come. */
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
