// #region 10.7
import { useSyncExternalStore } from 'react'
// #endregion
import type { ReactNode } from 'react'
import type { TextStore } from './useAnswer.ts'

/** Shows the text of an answer while it grows. It is a component of its own, so that tokens render nothing else. */
export function AnswerText({ text }: { text: TextStore }): ReactNode {
  // #region 10.7 AnswerText()
  const shown = useSyncExternalStore(text.subscribe, text.getSnapshot)
  return <p style={{ whiteSpace: 'pre-wrap' }}>{shown}</p>
  // #endregion
}
