import { useIsGone, useSlice } from './page-state.ts'
import { counted } from './words.ts'

/** The client.ts of the lesson, which runs beside the server: how its connection is, and what it got. */
export function Follower() {
  const isGone = useIsGone()
  const learnerClient = useSlice('learnerClient')
  if (!learnerClient) return null
  const { state, what, quakes, missed, twice, gaps, newest } = learnerClient
  return (
    <ul className={isGone ? 'clients quiet' : 'clients'} aria-label="client.ts">
      <li>
        <strong>client.ts</strong>
        <span>
          {isGone ? 'unknown' : IN_WORDS[state]} · {counted(quakes, 'quake')} ·{' '}
          <span className={missed > 0 ? 'bad' : undefined}>{missed} missed</span> ·{' '}
          <span className={twice > 0 ? 'bad' : undefined}>{twice} twice</span>
          {gaps > 0 && ` · ${counted(gaps, 'gap')}`}
        </span>
        <span className="quake">{what ?? newest?.place}</span>
      </li>
    </ul>
  )
}

const IN_WORDS = {
  starting: 'starts …',
  connecting: 'connects …',
  open: 'connected',
  waiting: 'waits',
  over: 'at the end',
  'not written': 'not written yet',
  down: 'down',
}
