import type uPlot from 'uplot'
import { describeEntryInFull } from './describe-entry.ts'
import { lanesOf } from './draw-wire.ts'
import { KINDS } from './entry-columns.ts'
import { belongsTo, isArrival, pause, select, view, visibleRange, zoom } from './wire-view.ts'

/**
 * Makes a chart of the page's own view respond to pointing, dragging, clicking and scrolling.
 *
 * @param onPoint called with a description of the entry under the pointer, or with `''` if there is no entry
 */
export function handlePointer(chart: uPlot, onPoint: (text: string) => void): void {
  const hooks = chart.hooks as uPlot.Hooks.Arrays
  hooks.setSelect = [
    (self) => {
      const { left, width } = self.select
      if (width === 0) return
      pause({ from: self.posToVal(left, 'x'), to: self.posToVal(left + width, 'x') })
      self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
    },
  ]
  hooks.setCursor = [
    ({ cursor }) => {
      const position = cursor.left! < 0 ? undefined : nearest(cursor.left!, cursor.top!)
      const { log, exchanges } = view.get()
      onPoint(position === undefined ? '' : describeEntryInFull(log.entry(position), exchanges))
    },
  ]

  let pressedAt = 0
  chart.over.addEventListener('pointerdown', (event) => {
    pressedAt = event.clientX
  })
  chart.over.addEventListener('click', (event) => {
    if (Math.abs(event.clientX - pressedAt) > 3) return
    const position = nearest(event.offsetX, event.offsetY)
    if (position !== undefined) select(position)
  })
  chart.over.addEventListener(
    'wheel',
    (event) => {
      // In the one-column layout, the wheel scrolls the page.
      if (innerWidth < ONE_COLUMN_PX && !event.ctrlKey) return
      event.preventDefault()
      zoom(Math.exp(event.deltaY / 400), chart.posToVal(event.offsetX, 'x'))
    },
    { passive: false },
  )

  /** Finds the entry nearest to a point on the chart, in CSS pixels. Returns undefined if no entry is near. */
  function nearest(x: number, y: number): number | undefined {
    const { log, connection } = view.get()
    const { height } = chart.rect
    const names = lanesOf(log, visibleRange(view.get()))
    const lane = names[Math.min(names.length - 1, Math.floor((y / height) * names.length))]!
    const at = chart.posToVal(x, 'x') * 1000
    const reach = (chart.posToVal(x + NEAR_PX, 'x') - chart.posToVal(x, 'x')) * 1000
    let best: number | undefined
    let distance = reach
    const end = Math.min(log.end, log.firstFrom(at - reach) + MOST_LOOKED_AT)
    for (let position = log.firstFrom(at - reach); position < end; position += 1) {
      const off = Math.abs(log.at(position) - at)
      if (off > reach && log.at(position) > at) break
      if (off > distance || !belongsTo(log, position, connection)) continue
      const isHere = isArrival(log, position)
        ? log.hops[log.hop(position)] === lane
        : log.kind(position) === KINDS.note
      if (!isHere) continue
      best = position
      distance = off
    }
    return best
  }
}

const NEAR_PX = 8
const MOST_LOOKED_AT = 20_000
const ONE_COLUMN_PX = 900
