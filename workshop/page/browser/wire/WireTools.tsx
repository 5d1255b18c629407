import { useRef } from 'react'
import { dismiss } from '../state/notification.ts'
import { useStore } from '../state/store.ts'
import { ActionButton } from '../ui/ActionButton.tsx'
import { formatNumber } from '../ui/format.ts'
import { describeRecording } from './describe-recording.ts'
import { nameOfConnection } from './exchange-log.ts'
import { Legend } from './Legend.tsx'
import { openRecording } from './open-recording.ts'
import { SaveMenu } from './SaveMenu.tsx'
import { MOST_ENTRIES } from './wire-log.ts'
import {
  hasCleared,
  logTick,
  pause,
  showConnection,
  showLive,
  unpause,
  view,
  zoom,
} from './wire-view.ts'

/** Shows the toolbar for the recording: pause, zoom, filter, clear, save and load. */
export function WireTools() {
  const { paused, saved } = useStore(view)
  const file = useRef<HTMLInputElement>(null)
  return (
    <div className="tools" role="toolbar" aria-label="View of the wire">
      {saved ? (
        <>
          <strong>{describeRecording(saved)}</strong>
          <button
            type="button"
            className="primary"
            onClick={() => {
              showLive()
              // Dismiss the last message, because it was about the file.
              dismiss()
            }}
          >
            Back to live
          </button>
        </>
      ) : (
        <button
          type="button"
          aria-pressed={!!paused}
          onClick={() => (paused ? unpause() : pause())}
        >
          {paused ? '▶ Follow' : '❚❚ Pause'}
        </button>
      )}
      <span className="pair">
        <button type="button" aria-label="Zoom in" title="Zoom in" onClick={() => zoom(0.5)}>
          +
        </button>
        <button type="button" aria-label="Zoom out" title="Zoom out" onClick={() => zoom(2)}>
          −
        </button>
      </span>
      <Connections />
      <Count />
      <span className="end">
        <Legend />
        {!saved && (
          <>
            <ActionButton
              action={{ do: 'clear' }}
              className="plain"
              onClickCapture={() => hasCleared.set(true)}
            >
              Clear
            </ActionButton>
            <SaveMenu />
          </>
        )}
        <button type="button" className="plain" onClick={() => file.current!.click()}>
          Load …
        </button>
        <input
          ref={file}
          type="file"
          hidden
          aria-label="Saved recording"
          accept=".ndjson"
          onChange={({ target }) => {
            if (target.files?.[0]) void openRecording(target.files[0])
            target.value = ''
          }}
        />
      </span>
    </div>
  )
}

/** Lets the reader select which connection to show. */
function Connections() {
  useStore(logTick)
  const { log, exchanges, connection } = useStore(view)
  const latest = [...log.connections.keys()].slice(-MOST_CONNECTIONS)
  if (connection !== undefined && !latest.includes(connection)) latest.unshift(connection)
  const isOpen = (one: number): boolean => log.connections.get(one)?.to === Infinity
  const groups = { open: latest.filter(isOpen), closed: latest.filter((one) => !isOpen(one)) }
  return (
    <select
      className="connections"
      aria-label="Connection"
      value={connection ?? ''}
      onChange={({ target }) => showConnection(target.value ? Number(target.value) : undefined)}
    >
      <option value="">all connections</option>
      {Object.entries(groups).map(
        ([state, connections]) =>
          connections.length > 0 && (
            <optgroup key={state} label={state}>
              {connections.map((one) => (
                <option key={one} value={one}>
                  {nameOfConnection(exchanges, one)}
                </option>
              ))}
            </optgroup>
          ),
      )}
    </select>
  )
}

const MOST_CONNECTIONS = 100

/** Shows the number of entries, and the number of entries that are not shown. */
function Count() {
  useStore(logTick)
  const { log, paused, saved, connection } = useStore(view)
  const isIncomplete = log.lost > 0 || log.end - log.begin === MOST_ENTRIES
  const all = log.end - log.begin
  const count = connection === undefined ? all : (log.connections.get(connection)?.entries ?? 0)
  const words = [count === 1 ? '1 entry' : `${formatNumber(count)} entries`]
  if (connection !== undefined) words[0] += ` of #${connection}`
  const since = connection === undefined && paused ? log.end - paused.end : 0
  if (paused && !saved)
    words.push(since > 0 ? `paused, ${formatNumber(since)} new since then` : 'paused')
  if (isIncomplete) words.push('older entries are no longer kept')
  const text = words.join(' · ')
  return (
    <span className="quiet count" title={text}>
      {text}
    </span>
  )
}
