// #region 10.7
import { useEffect, useRef, useState } from 'react'
import { ask as askServer, stop as stopAnswer } from './client.ts'
// #endregion
import type { Outcome } from './client.ts'

/** The state of the latest question. After the end of its answer, this is the outcome. */
export type AnswerState =
  | { name: 'idle' }
  | { name: 'answering'; question: string }
  | (Outcome & { question: string })

/** The text of an answer, outside React's state, so that only the components that show the text render while it grows. */
export type TextStore = {
  /** Calls the listener after the text has changed. Returns a function that removes the listener. */
  subscribe(listener: () => void): () => void
  getSnapshot(): string
}

/**
 * Asks the server at `url` one question at a time, and reads the answer while the component is mounted. A new question
 * stops the answer that is still running.
 *
 * @returns the state, and the text of the latest answer, which grows without rendering the caller
 */
export function useAnswer(url: string): {
  state: AnswerState
  text: TextStore
  ask(question: string): void
  stop(): void
} {
  // #region 10.7 useAnswer()
  const [state, setState] = useState<AnswerState>({ name: 'idle' })
  const [text] = useState(createText)
  const running = useRef<Running>(undefined)

  // Unmounting only disconnects. It may be a navigation or a reload, after which somebody still wants the answer.
  useEffect(() => () => running.current?.disconnect.abort(), [])

  function stop(): void {
    if (!running.current) return
    const { id, disconnect, url: asked } = running.current
    // If the server cannot be told, it can at least see the disconnect.
    stopAnswer(asked, id).catch(() => disconnect.abort())
  }

  async function ask(question: string): Promise<void> {
    stop()
    const mine: Running = { id: crypto.randomUUID(), disconnect: new AbortController(), url }
    running.current = mine
    text.set('')
    setState({ name: 'answering', question })
    const { text: whole, ...outcome } = await askServer(url, question, {
      id: mine.id,
      signal: mine.disconnect.signal,
      resumes: RESUMES,
      onToken(token) {
        // The previous answer may send a few more tokens before it stops.
        if (running.current === mine) text.append(token)
      },
    })
    if (running.current !== mine) return
    running.current = undefined
    text.set(whole)
    setState({ ...outcome, question })
  }

  return { state, text, ask, stop }
  // #endregion
}

// #region 10.7
/** An answer that the page is reading. Its id names it, so a late stop cannot end the next answer. */
type Running = { id: string; disconnect: AbortController; url: string }

/** How many times in a row, without a new token, the rest of a truncated answer is fetched. */
const RESUMES = 3

/** Creates a store that tells its listeners about new tokens once per animation frame. */
function createText(): TextStore & { append(token: string): void; set(text: string): void } {
  const listeners = new Set<() => void>()
  let text = ''
  let frame: number | undefined

  function tell(): void {
    if (frame !== undefined) cancelAnimationFrame(frame)
    frame = undefined
    for (const listener of listeners) listener()
  }

  return {
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    getSnapshot: () => text,
    append(token) {
      text += token
      frame ??= requestAnimationFrame(tell)
    },
    set(value) {
      text = value
      // Do not wait for a frame, because a hidden tab has none.
      tell()
    },
  }
}
// #endregion
