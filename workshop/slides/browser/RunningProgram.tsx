import { useEffect, useRef } from 'react'
import 'uplot/dist/uPlot.min.css'
import { ActButton } from '../../page/browser/ui/ActionButton.tsx'
import { said } from '../../page/browser/state/request-action.ts'
import { wireChart } from '../../page/browser/wire/wire-chart.ts'
import { useSlice } from '../../page/browser/state/page-state.ts'
import { pointing } from '../../page/browser/wire/chart-pointer.ts'
import { useStore } from '../../page/browser/state/store.ts'
import { view } from '../../page/browser/wire/wire-view.ts'
import { counted, number } from '../../page/browser/ui/format.ts'

/** A program that runs on a slide: its wire, and what can be done to it. */
export function RunningProgram() {
  const clients = useSlice('clients') ?? []
  const trouble = useSlice('trouble')
  const reading = clients.findLast(({ state }) => state === 'connecting' || state === 'reading')
  return (
    <main>
      <div className="controls" role="group" aria-label="What is done to the program">
        <ActButton action={{ do: 'connect' }}>Connect</ActButton>
        <ActButton action={{ do: 'leave', id: reading?.id ?? 1 }} disabled={!reading}>
          Leave
        </ActButton>
        <ActButton action={{ do: 'cut' }}>Cut</ActButton>
        <ActButton
          action={{ do: 'stall', on: !trouble?.isStalled }}
          aria-pressed={trouble?.isStalled ?? false}
        >
          Stall
        </ActButton>
        <ActButton
          action={{ do: 'proxy', holds: trouble?.proxy ? null : '4 KiB' }}
          aria-pressed={trouble?.proxy !== undefined}
        >
          Proxy
        </ActButton>
        <ActButton action={{ do: 'burst' }}>Burst</ActButton>
        <Said />
      </div>
      <Chart />
      <State />
    </main>
  )
}

function Chart() {
  const place = useRef<HTMLDivElement>(null)
  const pointed = useRef<HTMLParagraphElement>(null)
  useEffect(() => {
    // The deck has made this page as large as it is on the screen.
    const { chart, remove } = wireChart(place.current!, { view, scale: innerWidth / WRITTEN_FOR })
    pointing(chart, (text) => {
      pointed.current!.textContent = text
    })
    return remove
  }, [])
  return (
    <div className="picture" role="img" aria-label="The wire, as it is now">
      <div className="canvas" ref={place} />
      <p className="pointed" aria-hidden="true" ref={pointed} />
    </div>
  )
}

/** The width, in pixels, of a page on which the chart is drawn as small as on a lesson's. */
const WRITTEN_FOR = 720

function State() {
  const server = useSlice('server')
  const clients = useSlice('clients') ?? []
  if (!server) return null
  const { state, what, readers, leaks } = server
  return (
    <p className="state">
      <strong>{state === 'running' ? '● running' : `○ ${what ?? state}`}</strong>
      {readers !== undefined && <span>feed open for {counted(readers, 'reader')}</span>}
      {leaks && (
        <span className={leaks.intervals > leaks.clients ? 'bad' : undefined}>
          {counted(leaks.intervals, 'interval')} · {counted(leaks.clients, 'client')} ·{' '}
          {number(leaks.lostWrites)} writes to nobody
        </span>
      )}
      {clients.slice(-2).map(({ id, state: now, quakes }) => (
        <span key={id}>
          client {id}: {now}, {counted(quakes, 'quake')}
        </span>
      ))}
    </p>
  )
}

/** What the workshop last answered. */
function Said() {
  const { text, isProblem } = useStore(said, (now) => now)
  return (
    <p role="status" className={isProblem ? 'bad' : 'quiet'}>
      {text}
    </p>
  )
}
