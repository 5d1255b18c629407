import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { LoadSample } from '../../../../protocol/page.ts'
import { useStore } from '../state/store.ts'
import { theme } from '../state/theme.ts'
import { formatNumber } from '../ui/format.ts'

/** A line of a chart: its name, its custom property, its dashes, and its value in a sample. */
export type Line = {
  name: string
  colour: string
  dash?: number[]
  value(sample: LoadSample): number
}

/**
 * Draws lines over the last two minutes. The chart is hidden from screen readers, because its values are next to it in
 * words.
 */
export function LinesChart({ lines, samples }: { lines: Line[]; samples: LoadSample[] }) {
  const container = useRef<HTMLDivElement>(null)
  const drawn = useRef<uPlot>(undefined)
  const latest = useRef(samples)
  // A change of the theme draws the chart again at once, and not only with the next sample.
  const colours = useStore(theme)

  useEffect(() => {
    const chart = linesChart(container.current!, lines)
    chart.setData(dataOf(lines, latest.current))
    drawn.current = chart
    const resized = new ResizeObserver(() => chart.setSize(sizeOf(container.current!)))
    resized.observe(container.current!)
    return () => {
      resized.disconnect()
      chart.destroy()
    }
  }, [lines, colours])

  useEffect(() => {
    latest.current = samples
    drawn.current?.setData(dataOf(lines, samples))
  }, [lines, samples])

  return <div className="canvas" aria-hidden="true" ref={container} />
}

function linesChart(container: HTMLElement, lines: Line[]): uPlot {
  const read = (name: string): string => readColour(container, name)
  const axis = { stroke: () => read('quiet'), font: '12px system-ui, sans-serif', gap: 4 }
  const grid = { stroke: () => read('line'), width: 1 }
  return new uPlot(
    {
      ...sizeOf(container),
      padding: [8, 16, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, range: [-SECONDS, 0] },
        y: { range: (_, __, most) => [0, Math.max(most * 1.1, 10)] },
      },
      series: [
        {},
        ...lines.map(({ colour, dash }) => ({
          stroke: () => read(colour),
          width: 2,
          points: { show: false },
          ...(dash && { dash }),
        })),
      ],
      axes: [
        {
          ...axis,
          size: 28,
          gap: 8,
          grid: { show: false },
          ticks: { show: false },
          values: (_, splits) => splits.map((at) => (at === 0 ? 'now' : `${at} s`)),
        },
        {
          ...axis,
          size: 52,
          space: 24,
          grid,
          ticks: { show: false },
          values: (_, splits) => splits.map(formatNumber),
        },
      ],
    },
    [[], ...lines.map(() => [])],
    container,
  )
}

/** Returns the columns of the chart. Times are in seconds before the last sample. */
function dataOf(lines: Line[], samples: LoadSample[]): uPlot.AlignedData {
  const now = samples.at(-1)?.at ?? 0
  return [
    samples.map(({ at }) => (at - now) / 1000),
    ...lines.map(({ value }) => samples.map(value)),
  ]
}

function sizeOf({ clientWidth, clientHeight }: HTMLElement): { width: number; height: number } {
  return { width: clientWidth, height: clientHeight }
}

/** Reads a colour through a probe element, because a canvas does not understand custom properties. */
function readColour(container: HTMLElement, name: string): string {
  const probe = container.appendChild(document.createElement('span'))
  probe.style.color = `var(--${name})`
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

const SECONDS = 120
