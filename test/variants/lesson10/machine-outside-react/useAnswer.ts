import { useEffect, useState, useSyncExternalStore } from 'react'
import { ask, stop, type Outcome } from './client.ts'

export type AnswerState =
  | { name: 'idle' }
  | { name: 'answering'; question: string }
  | (Outcome & { question: string })

export type TextStore = {
  subscribe(listener: () => void): () => void
  getSnapshot(): string
}

/** Keeps everything outside of React. Each question has a text store of its own, which tells its listeners every 16 ms. */
export function useAnswer(url: string): {
  state: AnswerState
  text: TextStore
  ask(question: string): void
  stop(): void
} {
  const [machine] = useState(() => new Machine())
  const { state, text } = useSyncExternalStore(machine.subscribe, machine.getSnapshot)
  useEffect(() => () => machine.leave(), [machine])
  return {
    state,
    text: text.store,
    ask: (question) => machine.ask(url, question),
    stop: () => machine.stop(),
  }
}

type View = { state: AnswerState; text: Text }

class Machine {
  #view: View = { state: { name: 'idle' }, text: new Text() }
  #running: { url: string; id: string; abort: AbortController } | undefined
  readonly #listeners = new Set<() => void>()

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  getSnapshot = (): View => this.#view

  async ask(url: string, question: string): Promise<void> {
    this.stop()
    const running = { url, id: crypto.randomUUID(), abort: new AbortController() }
    this.#running = running
    const text = new Text()
    this.#show({ state: { name: 'answering', question }, text })
    const { id, abort } = running
    const { signal } = abort
    const onToken = (token: string): void => text.append(token)
    const { text: _, ...outcome } = await ask(url, question, { id, signal, onToken })
    text.flush()
    if (this.#view.text !== text) return
    this.#running = undefined
    this.#show({ state: { ...outcome, question }, text })
  }

  async stop(): Promise<void> {
    const running = this.#running
    if (!running) return
    try {
      await stop(running.url, running.id)
    } catch {
      running.abort.abort()
    }
  }

  leave(): void {
    this.#running?.abort.abort()
  }

  #show(view: View): void {
    this.#view = view
    for (const listener of this.#listeners) listener()
  }
}

class Text {
  #text = ''
  #waiting: string[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #listeners = new Set<() => void>()
  readonly store: TextStore = {
    subscribe: (listener) => {
      this.#listeners.add(listener)
      return () => this.#listeners.delete(listener)
    },
    getSnapshot: () => this.#text,
  }

  append(token: string): void {
    this.#waiting.push(token)
    this.#timer ??= setTimeout(() => this.flush(), 16)
  }

  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#text += this.#waiting.splice(0).join('')
    for (const listener of this.#listeners) listener()
  }
}
