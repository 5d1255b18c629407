import { memo, useEffect, useMemo, useRef, useState } from 'react'
import type { RevealApi } from 'reveal.js'
import type { Slide } from '../deck.ts'
import type { DeckView } from '../deck-view.ts'
import { broadcastStage } from './broadcast-stage.ts'
import { DeckContext, PlaceContext } from './deck-context.ts'
import { FollowInstructor } from './FollowInstructor.tsx'
import { JoinOverlay } from './JoinOverlay.tsx'
import { passKeysOn } from './keys.ts'
import { Pacing } from './Pacing.tsx'
import { isPassive, isPrinted, isSpeakersSlide, startReveal } from './reveal.ts'
import { SlideText } from './SlideText.tsx'
import { followStage } from './stage.ts'

/** Shows all slides, with a column for each file. */
export function Deck({ deck }: { deck: DeckView }) {
  const container = useRef<HTMLDivElement>(null)
  const [reveal, setReveal] = useState<RevealApi>()
  useEffect(() => {
    const { role } = deck
    if (role.role === 'instructor') {
      if (!isPassive) broadcastStage()
      else if (!isPrinted) followStage()
      passKeysOn(role.demoPort)
    }
    void startReveal(container.current!, deck).then(setReveal)
  }, [deck])
  return (
    <DeckContext value={deck}>
      <div className="reveal" ref={container}>
        <div className="slides">
          {deck.chapters.map(({ name, slides }, h) => (
            <section key={name} id={name}>
              {slides.map((slide, index) => (
                // Slides never change their order.
                // oxlint-disable-next-line react/no-array-index-key
                <OneSlide
                  key={index}
                  slide={slide}
                  h={h}
                  v={index}
                  id={index === 0 ? undefined : `${name}-${index + 1}`}
                />
              ))}
            </section>
          ))}
        </div>
      </div>
      <JoinOverlay />
      {reveal && isSpeakersSlide && deck.startsAt !== undefined && <Pacing />}
      {reveal && deck.role.role === 'follower' && <FollowInstructor reveal={reveal} />}
    </DeckContext>
  )
}

/** Shows a slide. Memoised, because rendering it again would undo reveal.js's changes to its elements. */
const OneSlide = memo(function OneSlide({
  slide,
  h,
  v,
  id,
}: {
  slide: Slide
  h: number
  v: number
  id?: string
}) {
  const { kind, minutes, isGuess, text, notes } = slide
  const place = useMemo(() => ({ h, v }), [h, v])
  return (
    <section id={id} className={kind} data-timing={minutes * 60} data-minutes={minutes}>
      <div className="sheet">
        <p className="kind">{WORDS[kind]}</p>
        <PlaceContext value={place}>
          <SlideText text={text} isStepwise={isGuess || kind === 'debrief'} />
        </PlaceContext>
      </div>
      {notes && (
        <aside className="notes">
          <SlideText text={notes} />
        </aside>
      )}
    </section>
  )
})

const WORDS: Record<Slide['kind'], string> = {
  welcome: 'HTTP Streaming Workshop',
  title: 'Lesson',
  concept: 'Concept',
  wire: 'On the wire',
  myth: 'Myth',
  demo: 'Demo',
  exercise: 'Your turn',
  debrief: 'Debrief',
  recap: 'Recap',
  break: 'In between',
  close: 'The last minutes',
}
