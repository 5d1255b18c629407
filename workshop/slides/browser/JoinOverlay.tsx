import { useStore } from '../../page/browser/state/store.ts'
import { useDeck } from './deck-context.ts'
import { JoinCode } from './JoinCode.tsx'
import { isJoinShown } from './reveal.ts'

/** Shows how to follow over any slide, until its key is pressed again or the deck moves on. */
export function JoinOverlay() {
  const { role } = useDeck()
  const isOpen = useStore(isJoinShown)
  if (!isOpen || role.role !== 'instructor') return null
  return (
    <div className="overlay" role="dialog" aria-label="How to follow">
      {role.join ? (
        <JoinCode />
      ) : (
        <p>
          Nobody else can follow this deck. Stop it, and run <code>npm run slides share</code>.
        </p>
      )}
    </div>
  )
}
