import type { Quake } from '#feed'
import type { ClientState } from '../../../../protocol/page.ts'
import { clearedClients, hasFinished, useIsGone, useSlice } from '../state/page-state.ts'
import { useStore } from '../state/store.ts'
import { ActionButton } from '../ui/ActionButton.tsx'
import { formatCount } from '../ui/format.ts'

/** Lists the clients that the page has connected, one per line. The last few finished clients are at the bottom. */
export function Clients({ clients }: { clients: ClientState[] }) {
  const isGone = useIsGone()
  const cleared = useStore(clearedClients)
  const finished = clients.filter((client) => hasFinished(client) && !cleared.has(client.id))
  const listed = [
    ...clients.filter((client) => !hasFinished(client)),
    ...finished.slice(-MOST_FINISHED),
  ]
  if (listed.length === 0) return null
  return (
    <ul className={isGone ? 'clients quiet' : 'clients'}>
      {listed.map((client) => (
        <li key={client.id} className={hasFinished(client) ? 'quiet' : undefined}>
          <strong>client {client.id}</strong>
          <span>
            {isGone && !hasFinished(client) ? 'unknown' : CLIENT_STATES[client.state]} ·{' '}
            {client.process && `${client.process} · `}
            {client.answer
              ? formatCount(client.answer.tokens, 'token')
              : formatCount(client.quakes, 'quake')}
          </span>
          <LastQuakes client={client} />
          {!hasFinished(client) && (
            <ActionButton
              action={{ do: 'leave', id: client.id }}
              className="plain"
              aria-label={`Disconnect client ${client.id}`}
            >
              Disconnect
            </ActionButton>
          )}
        </li>
      ))}
    </ul>
  )
}

const MOST_FINISHED = 3

const CLIENT_STATES: Record<ClientState['state'], string> = {
  connecting: 'connecting',
  reading: 'reading',
  refused: 'refused',
  ended: 'ended',
  cut: 'cut',
  left: 'disconnected',
}

/** Shows the newest quake, which expands to earlier ones, the answer so far, or how the stream ended. */
function LastQuakes({ client: { what, last, answer } }: { client: ClientState }) {
  const [newest, ...before] = last
  if (what || !newest) return <span className="quake">{what ?? answer?.text}</span>
  if (before.length === 0) return <span className="quake">{inOneLine(newest)}</span>
  return (
    <details className="quake">
      <summary>{inOneLine(newest)}</summary>
      {before.map((quake) => (
        <p key={quake.id}>{inOneLine(quake)}</p>
      ))}
    </details>
  )
}

/** Returns `M 6.4 22km NNE of Hualian, Taiwan, 15:50:42 UTC`. */
function inOneLine({ magnitude, place, time }: Quake): string {
  return `M ${magnitude.toFixed(1)} ${place}, ${time.slice(11, 19)} UTC`
}

/** Shows the state of the client.ts that runs alongside the server, and the quakes that it has received. */
export function LessonClient() {
  const isGone = useIsGone()
  const learnerClient = useSlice('learnerClient')
  if (!learnerClient) return null
  const { state, file = 'client.ts', what, quakes, missed, twice, gaps, newest } = learnerClient
  return (
    <ul className={isGone ? 'clients quiet' : 'clients'} aria-label={file}>
      <li>
        <strong>{file}</strong>
        <span>
          {isGone ? 'unknown' : LESSON_CLIENT_STATES[state]} · {formatCount(quakes, 'quake')} ·{' '}
          {missed !== undefined && (
            <>
              <span className={missed > 0 ? 'bad' : undefined}>{missed} missed</span> ·{' '}
            </>
          )}
          <span className={twice > 0 ? 'bad' : undefined}>{formatCount(twice, 'duplicate')}</span>
          {gaps > 0 && ` · ${formatCount(gaps, 'gap')}`}
        </span>
        <span className="quake">{what ?? newest?.place}</span>
      </li>
    </ul>
  )
}

const LESSON_CLIENT_STATES = {
  starting: 'starting …',
  connecting: 'connecting …',
  open: 'connected',
  waiting: 'waiting to reconnect',
  over: 'finished',
  'not written': 'not written yet',
  down: 'down',
}
