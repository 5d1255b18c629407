import { memo, useEffect, useRef, useState } from 'react'
import type { RevealApi } from 'reveal.js'
import type { Slide } from '../deck.ts'
import type { DeckView } from '../deck-view.ts'
import { broadcastPosition } from './broadcast-position.ts'
import { DeckContext } from './deck-context.ts'
import { FollowInstructor } from './FollowInstructor.tsx'
import { Pacing } from './Pacing.tsx'
import { isPassive, isSpeakersSlide, startReveal } from './reveal.ts'
import { SlideText } from './SlideText.tsx'

/** Shows all slides, with a column for each file. */
export function Deck({ deck }: { deck: DeckView }) {
  const container = useRef<HTMLDivElement>(null)
  const [reveal, setReveal] = useState<RevealApi>()
  useEffect(() => {
    const { role } = deck
    if (role.role === 'instructor' && !isPassive) broadcastPosition()
    void startReveal(container.current!, deck).then(setReveal)
  }, [deck])
  return (
    <DeckContext value={deck}>
      <div className="reveal" ref={container}>
        <div className="slides">
          {deck.chapters.map(({ name, slides }) => (
            <section key={name} id={name}>
              {slides.map((slide, index) => (
                // Slides never change their order.
                // oxlint-disable-next-line react/no-array-index-key
                <OneSlide
                  key={index}
                  slide={slide}
                  id={index === 0 ? undefined : `${name}-${index + 1}`}
                />
              ))}
            </section>
          ))}
        </div>
      </div>
      {reveal && isSpeakersSlide && deck.startsAt !== undefined && <Pacing />}
      {reveal && deck.role.role === 'follower' && <FollowInstructor reveal={reveal} />}
    </DeckContext>
  )
}

/** Shows a slide. Memoised, because rendering it again would undo reveal.js's changes to its elements. */
const OneSlide = memo(function OneSlide({ slide, id }: { slide: Slide; id?: string }) {
  const { kind, minutes, text, notes } = slide
  return (
    <section id={id} className={kind} data-timing={minutes * 60} data-minutes={minutes}>
      <div className="sheet">
        <p className="kind">{WORDS[kind]}</p>
        <SlideText text={text} />
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
