import { useEffect, useState } from 'react'
import { useStore } from '../../page/browser/state/store.ts'
import type { CountdownState } from '../position.ts'
import { useDeck, usePlace } from './deck-context.ts'
import { isPassive } from './reveal.ts'
import { countdown } from './stage.ts'

/** Shows a timer that counts down after Start is pressed. Followers and the speaker view see the instructor's timer. */
export function Countdown({ minutes }: { minutes: number }) {
  const { role } = useDeck()
  const place = usePlace()
  const started = useStore(countdown, (now) =>
    now?.h === place.h && now.v === place.v ? now : undefined,
  )
  const state = started ?? { ...place, leftMs: minutes * 60_000 }
  const left = useLeft(state)

  if (role.role === 'follower' || isPassive) {
    return <p className="countdown">{started ? <Timer left={left} /> : `${minutes} minutes`}</p>
  }
  const { endsAt } = state
  const stopped = { ...place, leftMs: left }
  return (
    <div className="countdown">
      <Timer left={left} />
      <button
        type="button"
        disabled={left === 0}
        onClick={() =>
          countdown.set(endsAt === undefined ? { ...stopped, endsAt: Date.now() + left } : stopped)
        }
      >
        {endsAt === undefined ? 'Start' : 'Pause'}
      </button>
      <button type="button" onClick={() => countdown.set(later(state, left))}>
        + 1 min
      </button>
      <button type="button" onClick={() => countdown.set(undefined)}>
        Reset
      </button>
    </div>
  )
}

function Timer({ left }: { left: number }) {
  return (
    <span role="timer" className={left === 0 ? 'over' : undefined}>
      {left === 0 ? 'Time is up' : timeLeft(left)}
    </span>
  )
}

/** Returns the milliseconds that are left of a countdown, and renders again while it runs. */
export function useLeft(state: CountdownState | undefined): number {
  const [now, setNow] = useState(0)
  const endsAt = state?.endsAt
  useEffect(() => {
    if (endsAt === undefined) return
    const timer = setInterval(() => {
      setNow(Date.now())
      if (Date.now() > endsAt) clearInterval(timer)
    }, 200)
    return () => clearInterval(timer)
  }, [endsAt])
  const leftMs = state?.leftMs ?? 0
  // Until the first tick, `now` is too early.
  return endsAt === undefined ? leftMs : Math.min(leftMs, Math.max(0, endsAt - now))
}

/** Adds a minute. A countdown that is over starts again. */
function later({ endsAt, ...state }: CountdownState, left: number): CountdownState {
  const leftMs = left + 60_000
  return { ...state, leftMs, ...(endsAt !== undefined && { endsAt: Date.now() + leftMs }) }
}

/** Formats a time as `14:05`. */
export function timeLeft(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
