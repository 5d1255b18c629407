import { useCallback, useEffect, useReducer, useRef, useState } from 'react'
import { ask as request, stop as requestStop, type Outcome } from './client.ts'

export type AnswerState =
  | { name: 'idle' }
  | { name: 'answering'; question: string }
  | (Outcome & { question: string })

export type TextStore = {
  subscribe(listener: () => void): () => void
  getSnapshot(): string
}

/** Shows a stopped answer as stopped before the server has confirmed it, and lets <AnswerText> wait for the frames. */
export function useAnswer(url: string): {
  state: AnswerState
  text: TextStore
  ask(question: string): void
  stop(): void
} {
  const [state, show] = useReducer((_: AnswerState, next: AnswerState) => next, { name: 'idle' })
  const [text] = useState(() => new Store())
  const current = useRef<{ id: string; question: string; leave: AbortController }>(null)

  const end = useCallback((): void => {
    if (!current.current) return
    const { id, leave } = current.current
    current.current = null
    requestStop(url, id).catch(() => undefined)
    leave.abort()
  }, [url])

  const stop = useCallback((): void => {
    const question = current.current?.question
    if (question === undefined) return
    end()
    show({ name: 'stopped', question })
  }, [end])

  const ask = useCallback(
    async (question: string): Promise<void> => {
      end()
      const leave = new AbortController()
      const mine = { id: `answer-${crypto.randomUUID()}`, question, leave }
      current.current = mine
      text.restart()
      show({ name: 'answering', question })
      const isCurrent = (): boolean => current.current === mine
      const { text: _, ...outcome } = await request(url, question, {
        id: mine.id,
        signal: leave.signal,
        onToken(token) {
          if (!isCurrent()) return
          text.add(token)
        },
      })
      if (!isCurrent()) return
      current.current = null
      show({ ...outcome, question })
    },
    [end, text, url],
  )

  useEffect(
    () => () => {
      current.current?.leave.abort()
      current.current = null
    },
    [],
  )

  return { state, text, ask, stop }
}

class Store implements TextStore {
  #tokens: string[] = []
  readonly #listeners: (() => void)[] = []

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.push(listener)
    return () => {
      this.#listeners.splice(this.#listeners.indexOf(listener), 1)
    }
  }

  getSnapshot = (): string => this.#tokens.join('')

  restart(): void {
    this.#tokens = []
    this.#tell()
  }

  add(token: string): void {
    this.#tokens.push(token)
    this.#tell()
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}
