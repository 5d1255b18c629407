import { useState } from 'react'
import { notification } from '../../page/browser/state/notification.ts'
import { useSlice } from '../../page/browser/state/page-state.ts'
import { useStore } from '../../page/browser/state/store.ts'
import { ActionButton } from '../../page/browser/ui/ActionButton.tsx'
import { formatCount, formatNumber } from '../../page/browser/ui/format.ts'
import { PointedChart } from '../../page/browser/wire/WireChart.tsx'

/** A program that runs on a slide: its wire, and what can be done to it. */
export function RunningProgram() {
  const clients = useSlice('clients') ?? []
  const faults = useSlice('faults')
  const reading = clients.findLast(({ state }) => state === 'connecting' || state === 'reading')
  return (
    <main>
      <div className="controls" role="group" aria-label="What is done to the program">
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
        <ActionButton action={{ do: 'burst' }}>Burst</ActionButton>
        <Notification />
      </div>
      <Chart />
      <State />
    </main>
  )
}

function Chart() {
  // The deck has made this page as large as it is on the screen.
  const [scale] = useState(() => innerWidth / WRITTEN_FOR)
  return (
    <div className="picture" role="img" aria-label="The wire, as it is now">
      <PointedChart scale={scale} />
    </div>
  )
}

function State() {
  const server = useSlice('server')
  const clients = useSlice('clients') ?? []
  if (!server) return null
  const { state, what, readers, leaks } = server
  return (
    <p className="state">
      <strong>{state === 'running' ? '● running' : `○ ${what ?? state}`}</strong>
      {readers !== undefined && <span>feed open for {formatCount(readers, 'reader')}</span>}
      {leaks && (
        <span className={leaks.intervals > leaks.clients ? 'bad' : undefined}>
          {formatCount(leaks.intervals, 'interval')} · {formatCount(leaks.clients, 'client')} ·{' '}
          {formatNumber(leaks.lostWrites)} writes to nobody
        </span>
      )}
      {clients.slice(-2).map(({ id, state: now, quakes }) => (
        <span key={id}>
          client {id}: {now}, {formatCount(quakes, 'quake')}
        </span>
      ))}
    </p>
  )
}

/** What the workshop last answered. */
function Notification() {
  const { text, isProblem } = useStore(notification)
  return (
    <p role="status" className={isProblem ? 'bad' : 'quiet'}>
      {text}
    </p>
  )
}

/** The width, in pixels, of a page on which the chart is drawn as small as on a lesson's. */
const WRITTEN_FOR = 720
