import type { ReactNode } from 'react'
import type { TextStore } from './useAnswer.ts'

/** Shows the text of an answer while it grows. It is a component of its own, so that tokens render nothing else. */
export function AnswerText({ text }: { text: TextStore }): ReactNode {
  throw new Error('lesson 10, task 10.7: write AnswerText()')
}
