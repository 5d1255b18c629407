import { useEffect, useRef, useState } from 'react'
import type { ChartColours, Charted } from '../../../experiment/chart.ts'

/** Shows a chart of when each event was written and when it arrived, in the colours of the page. */
export function ExperimentChart({ measured }: { measured: Charted[] }) {
  const container = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(0)

  useEffect(() => {
    const resized = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)))
    resized.observe(container.current!)
    return () => resized.disconnect()
  }, [])

  useEffect(() => {
    // Draw nothing while this part of the page is hidden, because its width is 0.
    if (width === 0 || measured.length === 0) return
    let isOld = false
    const draw = async (): Promise<void> => {
      const { chart } = await loadChart()
      if (!isOld) container.current!.replaceChildren(chart(measured, { document, width, colours }))
    }
    void draw()
    return () => {
      isOld = true
    }
  }, [measured, width])

  return (
    <div className="picture" role="region" aria-label="Chart of the measurements" tabIndex={0}>
      <div ref={container} hidden={measured.length === 0} />
      {measured.length === 0 && <p className="quiet">Nothing has been measured yet.</p>}
    </div>
  )
}

/** Saves the chart as a file, in its default colours. */
export async function saveChart(measured: Charted[]): Promise<void> {
  const { chart } = await loadChart()
  const svg = new Blob([chart(measured, { document }).outerHTML], { type: 'image/svg+xml' })
  const link = document.createElement('a')
  link.href = URL.createObjectURL(svg)
  link.download = 'lesson-4.svg'
  link.click()
  URL.revokeObjectURL(link.href)
}

/** Loads the chart's code only when it is needed, because it is large and other lessons do not use it. */
function loadChart(): Promise<typeof import('../../../experiment/chart.ts')> {
  return import('../../../experiment/chart.ts')
}

const colours: ChartColours = {
  paper: 'var(--paper)',
  ink: 'var(--ink)',
  quiet: 'var(--quiet)',
  written: 'var(--hop-server)',
  arrived: 'var(--hop-client)',
}
