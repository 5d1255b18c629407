import { useState } from 'react'
import { notification } from '../../page/browser/state/notification.ts'
import { useSlice } from '../../page/browser/state/page-state.ts'
import { useStore } from '../../page/browser/state/store.ts'
import { ActionButton } from '../../page/browser/ui/ActionButton.tsx'
import { PointedChart } from '../../page/browser/wire/WireChart.tsx'
import { Counters } from './Counters.tsx'

/** Shows the wire of the program that runs on a slide, and to the instructor the buttons that inject faults. */
export function RunningProgram({ isWatched }: { isWatched: boolean }) {
  return (
    <main>
      {!isWatched && <Controls />}
      <Chart />
      <State />
    </main>
  )
}

function Controls() {
  const clients = useSlice('clients') ?? []
  const faults = useSlice('faults')
  const server = useSlice('server')
  const processes = useSlice('processes')
  const reading = clients.findLast(({ state }) => state === 'connecting' || state === 'reading')
  return (
    <div className="controls" role="group" aria-label="Actions on the program">
      <ActionButton action={{ do: 'connect' }}>Connect</ActionButton>
      <ActionButton action={{ do: 'leave', id: reading?.id ?? 1 }} disabled={!reading}>
        Leave
      </ActionButton>
      <ActionButton action={{ do: 'cut' }}>Cut</ActionButton>
      <ActionButton
        action={{ do: 'stall', on: !faults?.isStalled }}
        aria-pressed={faults?.isStalled ?? false}
      >
        Stall
      </ActionButton>
      <ActionButton
        action={{ do: 'proxy', holds: faults?.proxy ? null : '4 KiB' }}
        aria-pressed={faults?.proxy !== undefined}
      >
        Proxy
      </ActionButton>
      {processes && <ActionButton action={{ do: 'kill' }}>Kill process</ActionButton>}
      {server?.question === undefined ? (
        <ActionButton action={{ do: 'burst' }}>Burst</ActionButton>
      ) : (
        <ActionButton action={{ do: 'stop' }}>Stop answer</ActionButton>
      )}
      {server?.token !== undefined && (
        <ActionButton action={{ do: 'next rule' }}>Next rule</ActionButton>
      )}
      <Notification />
    </div>
  )
}

function Chart() {
  // The deck scales this page together with the slide.
  const [scale] = useState(() => innerWidth / WRITTEN_FOR)
  return (
    <div className="picture" role="img" aria-label="The live wire">
      <PointedChart scale={scale} />
    </div>
  )
}

function State() {
  const server = useSlice('server')
  const clients = useSlice('clients') ?? []
  const several = useSlice('processes')
  if (!server) return null
  const { state, what } = server
  return (
    <div className="states">
      <strong>{state === 'running' ? '● running' : `○ ${what ?? state}`}</strong>
      <Counters server={server} processes={several?.processes} clients={clients} />
    </div>
  )
}

/** Shows the workshop's last answer. */
function Notification() {
  const { text, isProblem } = useStore(notification)
  return (
    <p role="status" className={isProblem ? 'bad' : 'quiet'}>
      {text}
    </p>
  )
}

/** The width, in pixels, at which the chart has the same scale as on the lesson page. */
const WRITTEN_FOR = 720
