import type { LoadSample, LoadState } from '../../../../protocol/page.ts'
import { useIsGone, useSlice } from '../state/page-state.ts'
import { ActionButton } from '../ui/ActionButton.tsx'
import { formatCount, formatNumber } from '../ui/format.ts'
import { LinesChart, type Line } from './LinesChart.tsx'

/** Shows the memory of the server and the lag of its clients, and adds slow readers. */
export function Load({ load: { samples, slowReaders } }: { load: LoadState }) {
  const isRunning = useSlice('server')?.state === 'running'
  return (
    <section className="load" aria-labelledby="load-title">
      <div className="bar">
        <h2 id="load-title">Load</h2>
        <p role="status">
          {slowReaders === 0
            ? 'No slow reader is connected.'
            : `${formatCount(slowReaders, 'slow reader')} connected`}
        </p>
        <ActionButton
          action={{ do: 'add slow readers' }}
          className="primary"
          disabled={!isRunning}
          title="A slow reader reads the head of the response, and then nothing"
        >
          Add 100 slow readers
        </ActionButton>
        <ActionButton action={{ do: 'remove slow readers' }} disabled={slowReaders === 0}>
          Remove slow readers
        </ActionButton>
      </div>
      <div className="charts">
        <Figure title="Memory of the server" unit="MB" lines={MEMORY} samples={samples} />
        <Figure title="Lag in events" unit="" lines={LAG} samples={samples} />
      </div>
    </section>
  )
}

/** Shows lines in a chart, and their current values in words. */
function Figure({
  title,
  unit,
  lines,
  samples,
}: {
  title: string
  unit: string
  lines: Line[]
  samples: LoadSample[]
}) {
  const isGone = useIsGone()
  const isRunning = useSlice('server')?.state === 'running'
  // The last values of a server that has ended would be misleading.
  const now = isRunning ? samples.at(-1) : undefined
  return (
    <figure>
      <figcaption>
        <strong>{title}</strong>
        {lines.map(({ name, colour, dash, value }) => (
          <span key={name} className={isGone ? 'quiet' : undefined}>
            <svg className="swatch" viewBox="0 0 18 4" aria-hidden="true">
              <line
                x1="0"
                x2="18"
                y1="2"
                y2="2"
                stroke={`var(--${colour})`}
                strokeDasharray={dash?.join(' ')}
              />
            </svg>
            {name} {now ? `${formatNumber(Math.round(value(now)))} ${unit}`.trim() : '…'}
          </span>
        ))}
      </figcaption>
      <LinesChart lines={lines} samples={samples} />
    </figure>
  )
}

const MEGABYTE = 1_000_000

const MEMORY: Line[] = [
  { name: 'heap', colour: 'hop-server', value: ({ heap }) => heap / MEGABYTE },
  {
    name: 'external',
    colour: 'hop-client',
    dash: [6, 3],
    value: ({ external }) => external / MEGABYTE,
  },
  { name: 'RSS', colour: 'quiet', dash: [2, 3], value: ({ rss }) => rss / MEGABYTE },
]

const LAG: Line[] = [
  { name: 'fastest client', colour: 'hop-server', value: ({ fastest }) => fastest },
  { name: 'slowest client', colour: 'hop-client', dash: [6, 3], value: ({ slowest }) => slowest },
]
