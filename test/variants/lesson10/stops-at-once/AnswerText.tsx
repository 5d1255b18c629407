import { useEffect, useState, type ReactNode } from 'react'
import type { TextStore } from './useAnswer.ts'

/** Shows each line in a paragraph of its own. */
export function AnswerText({ text }: { text: TextStore }): ReactNode {
  const [shown, setShown] = useState(text.getSnapshot)
  useEffect(() => {
    let frame: number | undefined
    const draw = (): void => {
      frame = undefined
      setShown(text.getSnapshot())
    }
    const unsubscribe = text.subscribe(() => {
      frame ??= requestAnimationFrame(draw)
    })
    return () => {
      unsubscribe()
      if (frame !== undefined) cancelAnimationFrame(frame)
    }
  }, [text])
  return (
    <div>
      {shown.split('\n').map((line, n) => (
        <p key={n}>{line}</p>
      ))}
    </div>
  )
}
