import type { KeyboardEvent } from 'react'
import { ArrivalInFull } from './ArrivalDetails.tsx'
import { LatestEntries } from './LatestEntries.tsx'
import { loadFile } from './open-recording.ts'
import { Server } from '../server/Server.tsx'
import { useStore } from '../state/store.ts'
import { Trouble } from './FaultControls.tsx'
import { WireChart } from './WireChart.tsx'
import { WireTools } from './WireTools.tsx'
import { follow, select, step, stop, unselect, view, zoom } from './wire-view.ts'

/** What crosses the wire, and what can be done to it. */
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
        if (file) void loadFile(file)
      }}
    >
      {!saved && <Server />}
      <div className="bar">
        <h2 id="wire-title">Wire</h2>
        {!saved && <Trouble />}
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
      <div className="entries">
        <LatestEntries />
        <ArrivalInFull />
      </div>
    </section>
  )
}

function press(event: KeyboardEvent): void {
  const { log, stopped } = view.get()
  const keys: Record<string, () => void> = {
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    Home: () => log.end > log.begin && select(log.begin),
    End: () => log.end > log.begin && select(log.end - 1),
    '+': () => zoom(0.5),
    '=': () => zoom(0.5),
    '-': () => zoom(2),
    '0': follow,
    ' ': () => (stopped ? follow() : stop()),
    Escape: unselect,
  }
  const does = keys[event.key]
  if (!does || event.ctrlKey || event.metaKey || event.altKey) return
  event.preventDefault()
  does()
}
