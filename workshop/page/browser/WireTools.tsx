import { useRef } from 'react'
import { act } from './act.ts'
import { loadFile } from './saved.ts'
import { useStore } from './store.ts'
import { beat, follow, showConnection, showLive, stop, view, zoom } from './wire-view.ts'
import { MOST_ENTRIES } from './wire-log.ts'
import { number } from './words.ts'

/** What is shown of the recording, and what can be done with it. */
export function WireTools() {
  const { stopped, saved } = useStore(view, (now) => now)
  const file = useRef<HTMLInputElement>(null)
  return (
    <div className="tools" role="toolbar" aria-label="View of the wire">
      {saved ? (
        <>
          <strong>saved recording {saved}</strong>
          <button type="button" className="primary" onClick={showLive}>
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
        {!saved && (
          <>
            <button type="button" className="plain" onClick={() => act({ do: 'clear' })}>
              Clear
            </button>
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
  const { log, stopped, saved } = useStore(view, (now) => now)
  const since = stopped && !saved ? log.end - stopped.end : 0
  const isCut = log.lost > 0 || log.end - log.begin === MOST_ENTRIES
  const words = [log.end - log.begin === 1 ? '1 entry' : `${number(log.end - log.begin)} entries`]
  if (stopped && !saved) words.push(`paused, ${number(since)} came since`)
  if (isCut) words.push('older ones are not shown')
  return <span className="quiet count">{words.join(' · ')}</span>
}
