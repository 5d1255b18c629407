import { useEffect, useRef } from 'react'
import 'uplot/dist/uPlot.min.css'
import { curlCommand } from '../../../../protocol/curl.ts'
import { useSlice } from '../state/page-state.ts'
import { useStore } from '../state/store.ts'
import { SHELL } from '../ui/shell.ts'
import { handlePointer } from './chart-pointer.ts'
import { wireChart } from './wire-chart.ts'
import { hasCleared, logTick, view } from './wire-view.ts'

/** Shows the chart of the wire, or a message while the wire is empty. */
export function WireChart() {
  return (
    <>
      <PointedChart />
      <Empty />
    </>
  )
}

/** Shows the chart of the page's own view, with a description of the entry under the pointer. */
export function PointedChart({ scale = 1 }: { scale?: number }) {
  const container = useRef<HTMLDivElement>(null)
  const pointed = useRef<HTMLParagraphElement>(null)
  useEffect(() => {
    const { chart, remove } = wireChart(container.current!, { view, scale })
    handlePointer(chart, (text) => {
      pointed.current!.textContent = text
    })
    return remove
  }, [scale])
  return (
    <>
      <div className="canvas" ref={container} />
      <p className="pointed" aria-hidden="true" ref={pointed} />
    </>
  )
}

function Empty() {
  useStore(logTick)
  const { log } = useStore(view)
  const server = useSlice('server')
  const lesson = useSlice('lesson')
  const isCleared = useStore(hasCleared)
  if (log.end > log.begin) return null
  return (
    <div className="nothing">
      <p>
        Nothing has crossed the wire {isCleared ? 'since you cleared it' : 'yet'}.{' '}
        {lesson ? 'Connect a client, or run' : 'Run'}
      </p>
      {server && <code>{curlCommand(server, SHELL)}</code>}
    </div>
  )
}
