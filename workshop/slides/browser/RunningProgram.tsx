import { useState } from 'react'
import { notification } from '../../page/browser/state/notification.ts'
import { useSlice } from '../../page/browser/state/page-state.ts'
import { useStore } from '../../page/browser/state/store.ts'
import { ActionButton } from '../../page/browser/ui/ActionButton.tsx'
import { formatCount, formatNumber } from '../../page/browser/ui/format.ts'
import { PointedChart } from '../../page/browser/wire/WireChart.tsx'

/** Shows the wire of the program that runs on a slide, with buttons that inject faults. */
export function RunningProgram() {
  const clients = useSlice('clients') ?? []
  const faults = useSlice('faults')
  const server = useSlice('server')
  const reading = clients.findLast(({ state }) => state === 'connecting' || state === 'reading')
  return (
    <main>
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
      <Chart />
      <State />
    </main>
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
  if (!server) return null
  const { state, what, readers, leaks, meter } = server
  return (
    <p className="state">
      <strong>{state === 'running' ? '● running' : `○ ${what ?? state}`}</strong>
      {readers !== undefined && <span>feed open for {formatCount(readers, 'reader')}</span>}
      {leaks && (
        <span className={leaks.intervals > leaks.clients ? 'bad' : undefined}>
          {formatCount(leaks.intervals, 'interval')} · {formatCount(leaks.clients, 'client')} ·{' '}
          {formatNumber(leaks.lostWrites)} writes to closed connections
        </span>
      )}
      {meter && <span>{formatCount(meter.tokens, 'token')} generated</span>}
      {clients.slice(-2).map(({ id, state: now, quakes, answer }) => (
        <span key={id}>
          client {id}: {now},{' '}
          {answer ? formatCount(answer.tokens, 'token') : formatCount(quakes, 'quake')}
        </span>
      ))}
    </p>
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
