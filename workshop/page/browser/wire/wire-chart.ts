import uPlot from 'uplot'
import type { Store } from '../state/store.ts'
import { theme } from '../state/theme.ts'
import type { Colours } from './draw-marks.ts'
import { drawWire, laneOffset, lanesOf } from './draw-wire.ts'
import { visibleRange, type View } from './wire-view.ts'

/**
 * Draws the chart of the wire, which fills `container`. uPlot draws the axes, and `drawWire()` the marks.
 *
 * @param options.scale the factor by which everything is larger than on the page, for slides, which are read from afar
 */
export function wireChart(
  container: HTMLElement,
  { view, scale = 1 }: { view: Store<View>; scale?: number },
): { chart: uPlot; remove(): void } {
  let colours = readColours(container)
  let lanes = ''
  let drawn = ''
  let themes = 0
  const font = `${Math.round(12 * scale)}px system-ui, sans-serif`
  const shownLanes = (): string[] => lanesOf(view.get().log, visibleRange(view.get()))

  const chart: uPlot = new uPlot(
    {
      ...sizeOf(container),
      padding: [20 * scale, 20 * scale, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: false, auto: false, range: (_, from, to) => [from, to] },
        y: { auto: false, range: [0, 1] },
      },
      series: [{}, { show: false }],
      axes: [
        {
          stroke: () => colours.quiet,
          font,
          size: 26 * scale,
          gap: 4,
          // A label such as `0.2116 s` is wider than `11 s`.
          space: (_, __, from, to) => (to - from < 0.02 ? 72 : 50) * scale,
          grid: { stroke: () => colours.line, width: 1 },
          ticks: { show: false },
          values: (_, splits, __, ___, step) => splits.map((at) => tick(at, step)),
        },
        {
          stroke: () => colours.ink,
          font,
          size: 76 * scale,
          gap: 10,
          grid: { show: false },
          ticks: { show: false },
          splits: () => shownLanes().map((_, lane, all) => 1 - laneOffset(lane, all.length)),
          values: () => shownLanes(),
        },
      ],
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
      hooks: {
        draw: [
          ({ ctx, bbox, scales }) => {
            const range = { from: scales.x!.min!, to: scales.x!.max! }
            const ratio = devicePixelRatio * scale
            drawWire(ctx, { ...bbox, ...range, ratio }, view.get(), colours)
          },
        ],
      },
    },
    [
      [0, 1],
      [null, null],
    ],
    container,
  )

  const resized = new ResizeObserver(() => chart.setSize(sizeOf(container)))
  resized.observe(container)
  const updateColours = (): void => {
    colours = readColours(container)
    themes += 1
  }
  const scheme = matchMedia('(prefers-color-scheme: dark)')
  scheme.addEventListener('change', updateColours)
  const forgetTheme = theme.listen(updateColours)

  /** Redraws the chart if there is a new entry or the marks have moved by a pixel. */
  function frame(): void {
    request = requestAnimationFrame(frame)
    const { log, selected, connection } = view.get()
    const range = visibleRange(view.get())
    const pixel = (range.to - range.from) / chart.bbox.width
    const to = Math.ceil(range.to / pixel) * pixel
    const look = [
      log.version,
      pixel,
      to,
      selected,
      connection,
      themes,
      chart.width,
      chart.height,
    ].join()
    if (look === drawn) return
    drawn = look
    const names = shownLanes().join()
    chart.batch(() => {
      chart.setScale('x', { min: to - (range.to - range.from), max: to })
      chart.redraw(false, names !== lanes)
    })
    lanes = names
  }
  let request = requestAnimationFrame(frame)

  return {
    chart,
    remove() {
      cancelAnimationFrame(request)
      resized.disconnect()
      scheme.removeEventListener('change', updateColours)
      forgetTheme()
      chart.destroy()
    },
  }
}

function sizeOf({ clientWidth, clientHeight }: HTMLElement): { width: number; height: number } {
  return { width: clientWidth, height: clientHeight }
}

/** Formats a tick's label, such as `12 s`, with as many decimals as the step needs. */
function tick(at: number, step: number): string {
  let decimals = 0
  while (Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6) decimals += 1
  return `${at.toFixed(decimals)} s`
}

/** Reads the colours through a probe element, because a canvas does not understand custom properties. */
function readColours(container: HTMLElement): Colours {
  const probe = container.appendChild(document.createElement('span'))
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
