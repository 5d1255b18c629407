import type { ReactNode } from 'react'
import type { TextStore } from './useAnswer.ts'

/** Shows a text that grows. */
export function AnswerText({ text }: { text: TextStore }): ReactNode {
  throw new Error('lesson 10, task 10.7: write AnswerText()')
}
