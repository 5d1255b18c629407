import type { Quake } from '#feed'
import type { ClientState, ServerState } from '../state.ts'
import { act, say } from './act.ts'
import { useSlice } from './page-state.ts'
import { counted } from './words.ts'

/** The server that the wire leads to, where to find it, and the clients that the page has connected. */
export function Server() {
  const server = useSlice('server')
  const clients = useSlice('clients') ?? []
  const lesson = useSlice('lesson')
  const problem = useSlice('grading')?.problem
  if (!server) return null
  return (
    <div className="server">
      <div className="bar">
        {lesson ? <State server={server} /> : <p className="state">{server.what}</p>}
        {lesson && (
          <button type="button" className="primary" onClick={() => act({ do: 'connect' })}>
            Connect a client
          </button>
        )}
        {server.state === 'down' && (
          <button type="button" onClick={() => act({ do: 'restart' })}>
            Start again
          </button>
        )}
        <code className="url" title={`curl -N ${server.url}`}>
          curl -N {server.url}
        </code>
        <button type="button" className="plain" onClick={() => void copy(`curl -N ${server.url}`)}>
          Copy
        </button>
      </div>
      {/* The checks may have told it already. */}
      {server.state === 'down' && server.what && server.what !== problem?.what && (
        <div className="problem">
          <p>{server.what}</p>
          {server.detail && <pre>{server.detail}</pre>}
        </div>
      )}
      {server.leaks && <Leaks {...server.leaks} />}
      <Clients clients={clients} />
      <Printed lines={server.printed} />
    </div>
  )
}

function State({ server: { state, readers } }: { server: ServerState }) {
  return (
    <p className="state">
      <ServerShape state={state} /> server.ts {inWords(state)}
      {state === 'running' && readers !== undefined && (
        <span className="quiet" title="So many have the feed open">
          {' '}
          · {counted(readers, 'reader')}
        </span>
      )}
    </p>
  )
}

function ServerShape({ state }: { state: ServerState['state'] }) {
  const [shape, hue] = {
    running: ['●', 'good'],
    starting: ['◌', 'quiet'],
    'not written': ['○', 'quiet'],
    down: ['✗', 'bad'],
  }[state] as [string, string]
  return (
    <span className={`shape ${hue}`} aria-hidden="true">
      {shape}
    </span>
  )
}

function inWords(state: ServerState['state']): string {
  return {
    running: 'is running',
    starting: 'starts …',
    'not written': 'is not written yet',
    down: 'is down',
  }[state]
}

async function copy(text: string): Promise<void> {
  await navigator.clipboard.writeText(text)
  say('Copied.')
}

function Leaks({ intervals, clients, lostWrites }: NonNullable<ServerState['leaks']>) {
  return (
    <p className="leaks">
      still running: <strong>{counted(intervals, 'interval')}</strong> ·{' '}
      <strong>{counted(clients, 'client')}</strong> connected ·{' '}
      <strong>{counted(lostWrites, 'write')}</strong> to nobody
    </p>
  )
}

function Clients({ clients }: { clients: ClientState[] }) {
  if (clients.length === 0) return null
  return (
    <ul className="clients">
      {clients.map((client) => (
        <li key={client.id}>
          <strong>client {client.id}</strong>
          <span>
            {client.state} · {counted(client.quakes, 'quake')}
          </span>
          <LastQuakes client={client} />
          {(client.state === 'connecting' || client.state === 'reading') && (
            <button
              type="button"
              className="plain"
              aria-label={`Client ${client.id} leaves`}
              onClick={() => act({ do: 'leave', id: client.id })}
            >
              leave
            </button>
          )}
        </li>
      ))}
    </ul>
  )
}

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

function Printed({ lines }: { lines: string[] }) {
  if (lines.length === 0) return null
  return (
    <details className="printed">
      <summary>server.ts prints: {lines.at(-1)}</summary>
      <pre>{lines.join('\n')}</pre>
    </details>
  )
}
