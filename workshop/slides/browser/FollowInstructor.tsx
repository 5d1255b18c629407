import { useEffect, useState } from 'react'
import type { RevealApi } from 'reveal.js'
import { useStore } from '../../page/browser/state/store.ts'
import type { SlidePosition, Stage } from '../position.ts'
import { timeLeft, useLeft } from './Countdown.tsx'
import { position } from './reveal.ts'
import { countdown, followStage } from './stage.ts'

/** Moves this deck together with the instructor's. If the follower looks at another slide, pauses until they return. */
export function FollowInstructor({ reveal }: { reveal: RevealApi }) {
  const [link, setLink] = useState<'connecting' | 'live' | 'lost'>('connecting')
  const [isAway, setAway] = useState(false)
  const [isBlank, setBlank] = useState(false)
  const [join, setJoin] = useState(() => (): void => {})

  useEffect(() => {
    let theirs: Stage | undefined
    let isLed = false
    let hasLeft = false

    /** Shows what the instructor shows. That move does not count as looking at another slide. */
    function rejoin(): void {
      if (!theirs) return
      const { h, v, f } = theirs.position
      away(false)
      isLed = true
      reveal.slide(h, v, f)
      isLed = false
      reveal.togglePause(theirs.isBlank)
    }

    function away(now: boolean): void {
      hasLeft = now
      setAway(now)
    }

    setJoin(() => rejoin)
    position.listen(() => {
      if (!isLed && theirs) away(!isSame(theirs.position, position.get()))
    })
    followStage({
      onLiveChange: (isLive) => setLink(isLive ? 'live' : 'lost'),
      onStage(stage) {
        theirs = stage
        setBlank(stage.isBlank)
        if (!hasLeft) rejoin()
      },
    })
  }, [reveal])

  return (
    <aside className={link === 'lost' || isBlank ? 'following telling' : 'following'}>
      <TimeLeft />
      <p role="status">
        {link === 'connecting' && 'connecting …'}
        {link === 'lost' && 'The deck does not answer. This page keeps trying.'}
        {link === 'live' &&
          (isBlank ? 'The instructor has blanked the screen.' : whereabouts(isAway))}
      </p>
      {link === 'lost' && location.pathname.length > 1 && <a href="/">Enter a new code</a>}
      {isAway && (
        <button type="button" onClick={join}>
          Back to the instructor
        </button>
      )}
    </aside>
  )
}

function whereabouts(isAway: boolean): string {
  return isAway ? 'looking around' : 'with the instructor'
}

/** Shows the instructor's running countdown to followers who are on another slide. */
function TimeLeft() {
  const state = useStore(countdown)
  const { h, v } = useStore(position)
  const left = useLeft(state)
  if (state?.endsAt === undefined || left === 0 || (state.h === h && state.v === v)) return null
  return <p role="timer">{timeLeft(left)}</p>
}

function isSame(one: SlidePosition, other: SlidePosition): boolean {
  return one.h === other.h && one.v === other.v && one.f === other.f
}
