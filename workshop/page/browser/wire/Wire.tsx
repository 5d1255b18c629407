import type { KeyboardEvent } from 'react'
import { Server } from '../server/Server.tsx'
import { useStore } from '../state/store.ts'
import { FaultControls } from './FaultControls.tsx'
import { openRecording } from './open-recording.ts'
import { pause, select, step, unpause, unselect, view, zoom } from './wire-view.ts'
import { WireChart } from './WireChart.tsx'
import { WireEntries } from './WireEntries.tsx'
import { WireTools } from './WireTools.tsx'

/** Shows the wire: the server, the fault controls, the chart, and the requests and arrivals. */
export function Wire() {
  const saved = useStore(view, (now) => now.saved)
  return (
    <section
      className="wire"
      aria-labelledby="wire-title"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault()
        const [file] = event.dataTransfer.files
        if (file) void openRecording(file)
      }}
    >
      {!saved && <Server />}
      <div className="bar">
        <h2 id="wire-title">Wire</h2>
        {!saved && <FaultControls />}
      </div>
      <WireTools />
      <div
        className="chart"
        id="chart"
        role="application"
        aria-label="The wire over time"
        aria-describedby="wire-keys"
        tabIndex={0}
        onKeyDown={press}
      >
        <WireChart />
      </div>
      <WireEntries />
    </section>
  )
}

function press(event: KeyboardEvent): void {
  const { log, paused } = view.get()
  const keys: Record<string, () => void> = {
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    Home: () => log.end > log.begin && select(log.begin),
    End: () => log.end > log.begin && select(log.end - 1),
    '+': () => zoom(0.5),
    '=': () => zoom(0.5),
    '-': () => zoom(2),
    '0': unpause,
    ' ': () => (paused ? unpause() : pause()),
    Escape: unselect,
  }
  const does = keys[event.key]
  if (!does || event.ctrlKey || event.metaKey || event.altKey) return
  event.preventDefault()
  does()
}
