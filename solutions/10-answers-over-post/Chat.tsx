import type { FormEvent, ReactNode } from 'react'
import { AnswerText } from './AnswerText.tsx'
import { useAnswer, type AnswerState } from './useAnswer.ts'

/** Shows a form for a question, and the answer of the server at `url`. */
export function Chat({ url }: { url: string }): ReactNode {
  const { state, text, ask, stop } = useAnswer(url)

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault()
    const question = String(new FormData(event.currentTarget).get('question')).trim()
    if (question !== '') ask(question)
  }

  return (
    <section>
      <form onSubmit={submit}>
        <input
          name="question"
          aria-label="Your question"
          defaultValue="Why do earthquakes happen?"
        />
        <button type="submit">Ask</button>
        <button type="button" onClick={stop} disabled={state.name !== 'answering'}>
          Stop
        </button>
      </form>
      {state.name !== 'idle' && <h2>{state.question}</h2>}
      <AnswerText text={text} />
      <p role="status">{describe(state)}</p>
    </section>
  )
}

/** Returns the sentence under an answer. An answer that was cut off must not look like a complete one. */
function describe(state: AnswerState): string {
  switch (state.name) {
    case 'idle':
      return ''
    case 'answering':
      return 'Answering …'
    case 'complete':
      return 'The answer is complete.'
    case 'stopped':
    case 'aborted':
      return 'You stopped the answer.'
    case 'incomplete':
      return 'The connection was lost, so the answer is incomplete.'
    case 'failed':
      return `The answer failed: ${state.why}`
  }
}
