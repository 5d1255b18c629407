import uPlot from 'uplot'
import { drawWire } from './draw-wire.ts'
import { lanesOf, lineOf } from './lanes.ts'
import type { Colours } from './marks.ts'
import { theme } from './theme.ts'
import { isArrival, isShown, select, shownPart, stop, view, zoom } from './wire-view.ts'
import { KINDS } from './wire-log.ts'
import { seconds, whatHappened } from './words.ts'

/**
 * The chart of the wire in `place`, as large as that is. uPlot has the axes, the cursor and the dragging; the
 * marks are drawn by `drawWire`.
 *
 * @param options.pointAt is told in words what is under the pointer; nothing is `''`
 * @returns removes it
 */
export function wireChart(
  place: HTMLElement,
  { pointAt }: { pointAt(text: string): void },
): () => void {
  let colours = readColours(place)
  let lanes = ''
  let drawn = ''
  let looks = 0

  const chart: uPlot = new uPlot(
    {
      ...sizeOf(place),
      padding: [20, 20, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: false, auto: false, range: (_, from, to) => [from, to] },
        y: { auto: false, range: [0, 1] },
      },
      series: [{}, { show: false }],
      axes: [
        {
          stroke: () => colours.quiet,
          font: AXIS_FONT,
          size: 26,
          gap: 4,
          grid: { stroke: () => colours.line, width: 1 },
          ticks: { show: false },
          values: (_, splits, __, ___, step) => splits.map((at) => tick(at, step)),
        },
        {
          stroke: () => colours.ink,
          font: AXIS_FONT,
          size: 76,
          gap: 10,
          grid: { show: false },
          ticks: { show: false },
          splits: () => shownLanes().map((_, lane, all) => 1 - lineOf(lane, all.length)),
          values: () => shownLanes(),
        },
      ],
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
      hooks: {
        draw: [
          ({ ctx, bbox, scales }) => {
            const part = { from: scales.x!.min!, to: scales.x!.max! }
            drawWire(ctx, { ...bbox, ...part, ratio: devicePixelRatio }, view.get(), colours)
          },
        ],
        setSelect: [
          (self) => {
            const { left, width } = self.select
            if (width === 0) return
            stop({ from: self.posToVal(left, 'x'), to: self.posToVal(left + width, 'x') })
            self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
          },
        ],
        setCursor: [
          ({ cursor }) => {
            const position = cursor.left! < 0 ? undefined : nearest(cursor.left!, cursor.top!)
            pointAt(position === undefined ? '' : inWords(position))
          },
        ],
      },
    },
    [
      [0, 1],
      [null, null],
    ],
    place,
  )

  /** The arrival that is nearest to a place on the chart, in pixels of CSS; undefined when none is near. */
  function nearest(x: number, y: number): number | undefined {
    const { log, connection } = view.get()
    const { height } = chart.rect
    const names = shownLanes()
    const lane = names[Math.min(names.length - 1, Math.floor((y / height) * names.length))]!
    const at = chart.posToVal(x, 'x') * 1000
    const reach = (chart.posToVal(x + NEAR_PX, 'x') - chart.posToVal(x, 'x')) * 1000
    let best: number | undefined
    let distance = reach
    const end = Math.min(log.end, log.firstFrom(at - reach) + MOST_LOOKED_AT)
    for (let position = log.firstFrom(at - reach); position < end; position += 1) {
      const off = Math.abs(log.at(position) - at)
      if (off > reach && log.at(position) > at) break
      if (off > distance || !isShown(log, position, connection)) continue
      const isHere = isArrival(log, position)
        ? log.hops[log.hop(position)] === lane
        : log.kind(position) === KINDS.note
      if (!isHere) continue
      best = position
      distance = off
    }
    return best
  }

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
      // In one column the wheel belongs to the page.
      if (innerWidth < ONE_COLUMN_PX && !event.ctrlKey) return
      event.preventDefault()
      zoom(Math.exp(event.deltaY / 400), chart.posToVal(event.offsetX, 'x'))
    },
    { passive: false },
  )

  const resized = new ResizeObserver(() => chart.setSize(sizeOf(place)))
  resized.observe(place)
  const newLook = (): void => {
    colours = readColours(place)
    looks += 1
  }
  const scheme = matchMedia('(prefers-color-scheme: dark)')
  scheme.addEventListener('change', newLook)
  const forgetTheme = theme.listen(newLook)

  /** Draws when something has changed: an entry came, or time moved the marks by a pixel. */
  function frame(): void {
    request = requestAnimationFrame(frame)
    const { log, selected, connection } = view.get()
    const part = shownPart(view.get())
    const pixel = (part.to - part.from) / chart.bbox.width
    const to = Math.ceil(part.to / pixel) * pixel
    const is = [
      log.version,
      pixel,
      to,
      selected,
      connection,
      looks,
      chart.width,
      chart.height,
    ].join()
    if (is === drawn) return
    drawn = is
    const names = shownLanes().join()
    chart.batch(() => {
      chart.setScale('x', { min: to - (part.to - part.from), max: to })
      chart.redraw(false, names !== lanes)
    })
    lanes = names
  }
  let request = requestAnimationFrame(frame)

  return () => {
    cancelAnimationFrame(request)
    resized.disconnect()
    scheme.removeEventListener('change', newLook)
    forgetTheme()
    chart.destroy()
  }
}

function shownLanes(): string[] {
  return lanesOf(view.get().log, shownPart(view.get()))
}

const AXIS_FONT = '12px system-ui, sans-serif'
const NEAR_PX = 8
const MOST_LOOKED_AT = 20_000
const ONE_COLUMN_PX = 900

function inWords(position: number): string {
  const { log } = view.get()
  const entry = log.entry(position)
  const whose = entry.kind === 'note' ? '' : ` · #${entry.connection}`
  return `${whatHappened(entry)} at ${seconds(entry.at)}${whose}`
}

function sizeOf({ clientWidth, clientHeight }: HTMLElement): { width: number; height: number } {
  return { width: clientWidth, height: clientHeight }
}

/** `12 s`, with as many decimals as the ticks need to differ. */
function tick(at: number, step: number): string {
  let decimals = 0
  while (Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6) decimals += 1
  return `${at.toFixed(decimals)} s`
}

/** A canvas knows no custom properties, so an element is asked what they come to. */
function readColours(place: HTMLElement): Colours {
  const probe = place.appendChild(document.createElement('span'))
  const read = (name: string): string => {
    probe.style.color = `var(--${name})`
    return getComputedStyle(probe).color
  }
  const hops: Record<string, string> = {
    server: read('hop-server'),
    client: read('hop-client'),
    workshop: read('hop-workshop'),
  }
  const between = read('hop-between')
  const colours = {
    ink: read('ink'),
    quiet: read('quiet'),
    line: read('line'),
    paper: read('paper'),
    bad: read('bad'),
    accent: read('accent'),
    hop: (name: string) => hops[name] ?? between,
  }
  probe.remove()
  return colours
}
