import { useEffect, useState } from 'react'
import type { RevealApi } from 'reveal.js'
import { subscribe } from '../../page/browser/state/reconnecting-stream.ts'
import type { PositionMessage } from '../send-position.ts'
import type { SlidePosition } from '../position.ts'
import { position } from './reveal.ts'

/** Moves this deck together with the instructor's. If the follower looks at another slide, pauses until they return. */
export function FollowInstructor({ reveal }: { reveal: RevealApi }) {
  const [isLive, setLive] = useState(false)
  const [isAway, setAway] = useState(false)
  const [join, setJoin] = useState(() => (): void => {})

  useEffect(() => {
    let theirs: SlidePosition | undefined
    let isLed = false
    let hasLeft = false

    /** Goes to the instructor's position. That move does not count as looking at another slide. */
    function rejoin(): void {
      if (!theirs) return
      away(false)
      isLed = true
      reveal.slide(theirs.h, theirs.v, theirs.f)
      isLed = false
    }

    function away(now: boolean): void {
      hasLeft = now
      setAway(now)
    }

    setJoin(() => rejoin)
    position.listen(() => {
      if (!isLed && theirs) away(!isSame(theirs, position.get()))
    })
    void subscribe<PositionMessage>({
      url: './position',
      onLiveChange: setLive,
      onMessage(message) {
        if (message.type !== 'position') return
        theirs = message.position
        if (!hasLeft) rejoin()
      },
    })
    // Never unsubscribe, because the deck stays for as long as the page is open.
  }, [reveal])

  return (
    <div className="following">
      <p role="status">
        {!isLive ? 'connecting …' : isAway ? 'looking around' : 'with the instructor'}
      </p>
      {isAway && (
        <button type="button" onClick={join}>
          Back to the instructor
        </button>
      )}
    </div>
  )
}

function isSame(one: SlidePosition, other: SlidePosition): boolean {
  return one.h === other.h && one.v === other.v && one.f === other.f
}
