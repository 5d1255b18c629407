import type { Quake } from '#feed'
import type { ClientState } from '../../../protocol/page.ts'
import { ActButton } from './ActButton.tsx'
import { dismissed, isOver } from './dismissed.ts'
import { useIsGone } from './page-state.ts'
import { useStore } from './store.ts'
import { counted } from './words.ts'

/** The clients that the page has connected, a line for each; beneath, the last few of those that are over. */
export function Clients({ clients }: { clients: ClientState[] }) {
  const isGone = useIsGone()
  const away = useStore(dismissed, (now) => now)
  const over = clients.filter((client) => isOver(client) && !away.has(client.id))
  const shown = [...clients.filter((client) => !isOver(client)), ...over.slice(-MOST_OVER)]
  if (shown.length === 0) return null
  return (
    <ul className={isGone ? 'clients quiet' : 'clients'}>
      {shown.map((client) => (
        <li key={client.id} className={isOver(client) ? 'quiet' : undefined}>
          <strong>client {client.id}</strong>
          <span>
            {isGone && !isOver(client) ? 'unknown' : client.state} ·{' '}
            {counted(client.quakes, 'quake')}
          </span>
          <LastQuakes client={client} />
          {!isOver(client) && (
            <ActButton
              action={{ do: 'leave', id: client.id }}
              className="plain"
              aria-label={`Client ${client.id} leaves`}
            >
              leave
            </ActButton>
          )}
        </li>
      ))}
    </ul>
  )
}

const MOST_OVER = 3

/** What came last, or how it ended; the quakes before it on demand. */
function LastQuakes({ client: { what, last } }: { client: ClientState }) {
  const [newest, ...before] = last
  if (what || !newest) return <span className="quake">{what}</span>
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

/** `M 6.4 22km NNE of Hualian, Taiwan, 15:50:42 UTC`. */
function inOneLine({ magnitude, place, time }: Quake): string {
  return `M ${magnitude.toFixed(1)} ${place}, ${time.slice(11, 19)} UTC`
}
