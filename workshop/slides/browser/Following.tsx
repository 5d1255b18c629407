import { useEffect, useState } from 'react'
import type { RevealApi } from 'reveal.js'
import { keepSource } from '../../page/browser/kept-source.ts'
import { store, useStore } from '../../page/browser/store.ts'
import type { Place } from '../place.ts'
import { place } from './reveal.ts'

/** Where the instructor is; undefined until that is known. */
const leading = store<Place | undefined>(undefined)

/** Moves the deck with the instructor's, until its reader looks around, and from when they come back. */
export function Following({ reveal }: { reveal: RevealApi }) {
  const mine = useStore(place, (now) => now)
  const theirs = useStore(leading, (now) => now)
  const [isLive, setLive] = useState(false)

  useEffect(() => {
    keepSource({
      url: () => './place',
      live: setLive,
      events: {
        place({ data }) {
          const before = leading.get()
          const isTogether = !before || isSame(before, place.get())
          leading.set(JSON.parse(data) as Place)
          if (isTogether) join(reveal)
        },
      },
    })
  }, [reveal])

  const isAway = theirs !== undefined && !isSame(mine, theirs)
  return (
    <div className="following">
      <p role="status">
        {!isLive ? 'connecting …' : isAway ? 'looking around' : 'with the instructor'}
      </p>
      {isAway && (
        <button type="button" onClick={() => join(reveal)}>
          Back to the instructor
        </button>
      )}
    </div>
  )
}

function join(reveal: RevealApi): void {
  const { h, v, f } = leading.get()!
  reveal.slide(h, v, f)
}

function isSame(one: Place, other: Place): boolean {
  return one.h === other.h && one.v === other.v && one.f === other.f
}
