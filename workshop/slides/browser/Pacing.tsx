import { useEffect, useState } from 'react'
import { useStore } from '../../page/browser/state/store.ts'
import { formatCount } from '../../page/browser/ui/format.ts'
import { clock, timeOfDay } from '../clock.ts'
import { pacing } from '../pacing.ts'
import { useDeck } from './deck-context.ts'
import { position } from './reveal.ts'

/** Shows in the speaker view whether the instructor is on time, and which slide the agenda would show now. */
export function Pacing() {
  const { chapters, startsAt = 0 } = useDeck()
  const { h, v } = useStore(position)
  const [now, setNow] = useState(() => timeOfDay(new Date()))
  useEffect(() => {
    const timer = setInterval(() => setNow(timeOfDay(new Date())), 1000)
    return () => clearInterval(timer)
  }, [])

  const slides = chapters.flatMap((chapter) => chapter.slides)
  const plans = slides.flatMap(({ plan }) => plan ?? [])
  const current = chapters.slice(0, h).reduce((sum, chapter) => sum + chapter.slides.length, v)
  const { late, planned } = pacing(plans, current, { now, startsAt })
  const { from, to } = plans[current]!
  const title = /^##? (.*)$/m.exec(slides[planned]!.text)?.[1]
  return (
    <div className="pacing">
      <strong className={late > 0 ? 'over' : undefined}>{inWords(late)}</strong>
      <span>
        {clock(now)}, and this slide is planned for {clock(startsAt + from)} to{' '}
        {clock(startsAt + to)}
      </span>
      {planned !== current && (
        <span>
          You should be at slide {planned + 1}, {title}
        </span>
      )}
    </div>
  )
}

function inWords(late: number): string {
  if (late === 0) return 'On time'
  const minutes = formatCount(Math.abs(late), 'minute')
  return late > 0 ? `${minutes} over` : `${minutes} early`
}
