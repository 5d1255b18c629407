import { curlCommand } from '../../../../protocol/curl.ts'
import type { ServerState } from '../../../../protocol/page.ts'
import { notify } from '../state/notification.ts'
import { useIsGone, useSlice } from '../state/page-state.ts'
import { ActionButton } from '../ui/ActionButton.tsx'
import { formatCount } from '../ui/format.ts'
import { SHELL } from '../ui/shell.ts'
import { TextWithFileLinks } from '../ui/TextWithFileLinks.tsx'
import { Clients, LessonClient } from './Clients.tsx'

/** Shows the server's state and address, and the clients that the page has connected. */
export function Server() {
  const server = useSlice('server')
  const clients = useSlice('clients') ?? []
  const lesson = useSlice('lesson')
  const problem = useSlice('grading')?.problem
  if (!server) return null
  const curl = curlCommand(server, SHELL)
  return (
    <div className="server">
      <div className="bar">
        {lesson ? <ServerStatus server={server} /> : <p className="state">{server.what}</p>}
        {lesson && (
          <ActionButton action={{ do: 'connect' }} className="primary">
            {server.question === undefined ? 'Connect a client' : 'Ask a question'}
          </ActionButton>
        )}
        {server.state === 'down' && (
          <ActionButton action={{ do: 'restart' }}>Restart the server</ActionButton>
        )}
        <code className="url" title={curl}>
          {curl}
        </code>
        <button type="button" className="plain" onClick={() => void copy(curl)}>
          Copy
        </button>
      </div>
      {/* Do not repeat a problem that the checks already show. */}
      {server.state === 'down' && server.what && server.what !== problem?.what && (
        <div className="problem">
          <p>
            <TextWithFileLinks text={server.what} />
          </p>
          {server.detail && (
            <pre>
              <TextWithFileLinks text={server.detail} />
            </pre>
          )}
        </div>
      )}
      {server.leaks && <Leaks {...server.leaks} />}
      <LessonClient />
      <Clients clients={clients} />
      <PrintedLines lines={server.printed} />
    </div>
  )
}

function ServerStatus({ server: { file, state, readers } }: { server: ServerState }) {
  const isGone = useIsGone()
  if (isGone) {
    return (
      <p className="state quiet">
        <span className="shape" aria-hidden="true">
          ○
        </span>{' '}
        {file ?? 'server.ts'}: state unknown, because the workshop is not connected
      </p>
    )
  }
  return (
    <p className="state">
      <ServerIcon state={state} /> {file ?? 'server.ts'} {inWords(state)}
      {state === 'running' && readers !== undefined && (
        <span className="quiet" title="The number of readers that have the feed open">
          {' '}
          · {formatCount(readers, 'reader')}
        </span>
      )}
    </p>
  )
}

function ServerIcon({ state }: { state: ServerState['state'] }) {
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
    starting: 'is starting …',
    'not written': 'is not written yet',
    down: 'is down',
  }[state]
}

async function copy(text: string): Promise<void> {
  await navigator.clipboard.writeText(text)
  notify('Command copied.')
}

function Leaks({ intervals, clients, lostWrites }: NonNullable<ServerState['leaks']>) {
  return (
    <p className="leaks">
      still running: <strong>{formatCount(intervals, 'interval')}</strong> ·{' '}
      <strong>{formatCount(clients, 'client')}</strong> connected ·{' '}
      <strong>{formatCount(lostWrites, 'write')}</strong> to closed connections
    </p>
  )
}

function PrintedLines({ lines }: { lines: string[] }) {
  if (lines.length === 0) return null
  return (
    <details className="printed">
      <summary>server.ts prints: {lines.at(-1)}</summary>
      <pre>
        <TextWithFileLinks text={lines.join('\n')} />
      </pre>
    </details>
  )
}
