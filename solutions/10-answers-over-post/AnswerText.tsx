import type { ReactNode } from 'react'
// #region 10.7
import { useSyncExternalStore } from 'react'
// #endregion
import type { TextStore } from './useAnswer.ts'

/** Shows a text that grows. */
export function AnswerText({ text }: { text: TextStore }): ReactNode {
  // #region 10.7 AnswerText()
  return <pre>{useSyncExternalStore(text.subscribe, text.getSnapshot)}</pre>
  // #endregion
}
