import { useEffect, useRef } from 'react'
import 'uplot/dist/uPlot.min.css'
import { wireChart } from './wire-chart.ts'
import { useSlice } from '../state/page-state.ts'
import { pointing } from './chart-pointer.ts'
import { useStore } from '../state/store.ts'
import { beat, hasCleared, view } from './wire-view.ts'

export function WireChart() {
  const place = useRef<HTMLDivElement>(null)
  const pointed = useRef<HTMLParagraphElement>(null)
  useEffect(() => {
    const { chart, remove } = wireChart(place.current!, { view })
    pointing(chart, (text) => {
      pointed.current!.textContent = text
    })
    return remove
  }, [])
  return (
    <>
      <div className="canvas" ref={place} />
      <p className="pointed" aria-hidden="true" ref={pointed} />
      <Nothing />
    </>
  )
}

function Nothing() {
  useStore(beat, (now) => now)
  const log = useStore(view, ({ log: shown }) => shown)
  const server = useSlice('server')
  const lesson = useSlice('lesson')
  const isCleared = useStore(hasCleared, (now) => now)
  if (log.end > log.begin) return null
  return (
    <div className="nothing">
      <p>
        Nothing has crossed {isCleared ? 'since you cleared it' : 'yet'}.{' '}
        {lesson ? 'Connect a client, or type' : 'Type'}
      </p>
      {server && <code>curl -N {server.url}</code>}
    </div>
  )
}
