import type { ServerState } from '../../../protocol/page.ts'
import { ActButton } from './ActButton.tsx'
import { say } from './act.ts'
import { Clients } from './Clients.tsx'
import { Follower } from './Follower.tsx'
import { useIsGone, useSlice } from './page-state.ts'
import { WithPlaces } from './WithPlaces.tsx'
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
          <ActButton action={{ do: 'connect' }} className="primary">
            Connect a client
          </ActButton>
        )}
        {server.state === 'down' && <ActButton action={{ do: 'restart' }}>Start again</ActButton>}
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
          <p>
            <WithPlaces text={server.what} />
          </p>
          {server.detail && (
            <pre>
              <WithPlaces text={server.detail} />
            </pre>
          )}
        </div>
      )}
      {server.leaks && <Leaks {...server.leaks} />}
      <Follower />
      <Clients clients={clients} />
      <Printed lines={server.printed} />
    </div>
  )
}

function State({ server: { file, state, readers } }: { server: ServerState }) {
  const isGone = useIsGone()
  if (isGone) {
    return (
      <p className="state quiet">
        <span className="shape" aria-hidden="true">
          ○
        </span>{' '}
        {file ?? 'server.ts'}: unknown since the workshop is gone
      </p>
    )
  }
  return (
    <p className="state">
      <ServerShape state={state} /> {file ?? 'server.ts'} {inWords(state)}
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

function Printed({ lines }: { lines: string[] }) {
  if (lines.length === 0) return null
  return (
    <details className="printed">
      <summary>server.ts prints: {lines.at(-1)}</summary>
      <pre>
        <WithPlaces text={lines.join('\n')} />
      </pre>
    </details>
  )
}
