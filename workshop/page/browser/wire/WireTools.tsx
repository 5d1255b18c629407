import { useRef } from 'react'
import { ActButton } from '../ui/ActionButton.tsx'
import { unsay } from '../state/request-action.ts'
import { Legend } from './Legend.tsx'
import { loadFile } from './open-recording.ts'
import { useStore } from '../state/store.ts'
import {
  beat,
  follow,
  hasCleared,
  showConnection,
  showLive,
  stop,
  view,
  zoom,
} from './wire-view.ts'
import { MOST_ENTRIES } from './wire-log.ts'
import { number } from '../ui/format.ts'

/** What is shown of the recording, and what can be done with it. */
export function WireTools() {
  const { stopped, saved } = useStore(view, (now) => now)
  const file = useRef<HTMLInputElement>(null)
  return (
    <div className="tools" role="toolbar" aria-label="View of the wire">
      {saved ? (
        <>
          <strong>saved recording {saved}</strong>
          <button
            type="button"
            className="primary"
            onClick={() => {
              showLive()
              // What was said of a file is over.
              unsay()
            }}
          >
            Live again
          </button>
        </>
      ) : (
        <button
          type="button"
          aria-pressed={!!stopped}
          onClick={() => (stopped ? follow() : stop())}
        >
          {stopped ? '▶ Follow' : '❚❚ Pause'}
        </button>
      )}
      <span className="pair">
        <button type="button" aria-label="Show less, larger" title="+" onClick={() => zoom(0.5)}>
          +
        </button>
        <button type="button" aria-label="Show more, smaller" title="−" onClick={() => zoom(2)}>
          −
        </button>
      </span>
      <Connections />
      <Count />
      <span className="end">
        <Legend />
        {!saved && (
          <>
            <ActButton
              action={{ do: 'clear' }}
              className="plain"
              onClickCapture={() => hasCleared.set(true)}
            >
              Clear
            </ActButton>
            <a className="button plain" href="/wire.ndjson" download>
              Save
            </a>
          </>
        )}
        <button type="button" className="plain" onClick={() => file.current!.click()}>
          Load …
        </button>
        <input
          ref={file}
          type="file"
          hidden
          aria-label="A saved recording"
          accept=".ndjson"
          onChange={({ target }) => {
            if (target.files?.[0]) void loadFile(target.files[0])
            target.value = ''
          }}
        />
      </span>
    </div>
  )
}

/** Which connection is shown. */
function Connections() {
  useStore(beat, (now) => now)
  const { log, connection } = useStore(view, (now) => now)
  const latest = [...log.connections.keys()].slice(-MOST_CONNECTIONS)
  if (connection !== undefined && !latest.includes(connection)) latest.unshift(connection)
  return (
    <select
      aria-label="Connection"
      value={connection ?? ''}
      onChange={({ target }) => showConnection(target.value ? Number(target.value) : undefined)}
    >
      <option value="">all connections</option>
      {latest.map((one) => (
        <option key={one} value={one}>
          {`#${one} ${log.connections.get(one)?.to === Infinity ? 'open' : 'closed'}`}
        </option>
      ))}
    </select>
  )
}

const MOST_CONNECTIONS = 100

/** How much there is, and how much of it is not in sight. */
function Count() {
  useStore(beat, (now) => now)
  const { log, stopped, saved, connection } = useStore(view, (now) => now)
  const isCut = log.lost > 0 || log.end - log.begin === MOST_ENTRIES
  const all = log.end - log.begin
  const count = connection === undefined ? all : (log.connections.get(connection)?.entries ?? 0)
  const words = [count === 1 ? '1 entry' : `${number(count)} entries`]
  if (connection !== undefined) words[0] += ` of #${connection}`
  const since = connection === undefined && stopped ? log.end - stopped.end : 0
  if (stopped && !saved) words.push(since > 0 ? `paused, ${number(since)} came since` : 'paused')
  if (isCut) words.push('older ones had to make room and are not shown')
  const text = words.join(' · ')
  return (
    <span className="quiet count" title={text}>
      {text}
    </span>
  )
}
