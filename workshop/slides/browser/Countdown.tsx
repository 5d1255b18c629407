import { useEffect, useState } from 'react'
import { useDeck } from './deck-context.ts'
import { isPassive } from './reveal.ts'

/** Shows a timer that counts down after Start is pressed. At the end, it shows "Time is up". */
export function Countdown({ minutes }: { minutes: number }) {
  const { role } = useDeck()
  const [left, setLeft] = useState(minutes * 60_000)
  const [endsAt, setEndsAt] = useState<number>()
  const isRunning = endsAt !== undefined

  useEffect(() => {
    if (endsAt === undefined) return
    const timer = setInterval(() => {
      const now = Math.max(0, endsAt - Date.now())
      setLeft(now)
      if (now === 0) setEndsAt(undefined)
    }, 200)
    return () => clearInterval(timer)
  }, [endsAt])

  if (role.role === 'follower' || isPassive) return <p className="countdown">{minutes} minutes</p>
  return (
    <div className="countdown">
      <span role="timer" className={left === 0 ? 'over' : undefined}>
        {left === 0 ? 'Time is up' : clock(left)}
      </span>
      <button
        type="button"
        disabled={left === 0}
        onClick={() => setEndsAt(isRunning ? undefined : Date.now() + left)}
      >
        {isRunning ? 'Pause' : 'Start'}
      </button>
      <button
        type="button"
        onClick={() => {
          setLeft(left + 60_000)
          if (endsAt !== undefined) setEndsAt(endsAt + 60_000)
        }}
      >
        + 1 min
      </button>
      <button
        type="button"
        onClick={() => {
          setEndsAt(undefined)
          setLeft(minutes * 60_000)
        }}
      >
        Reset
      </button>
    </div>
  )
}

/** Formats a time as `14:05`. */
function clock(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
