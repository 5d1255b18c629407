import { useMemo } from 'react'
import type { Charted } from '../../experiment/chart.ts'
import type { ExperimentState, WayState } from '../../../protocol/page.ts'
import { ActButton } from './ActButton.tsx'
import { ExperimentChart, saveChart } from './ExperimentChart.tsx'
import { ExperimentTable } from './ExperimentTable.tsx'
import { store, useStore } from './store.ts'
import { counted } from './words.ts'

const shows = store<'table' | 'chart'>('table')

/** Whether it has all the room there is. */
const isLarge = store(false)

/** Predict, measure, compare: what becomes of a stream on each way from a server to a client. */
export function Experiment({ experiment }: { experiment: ExperimentState }) {
  const { ways, problem } = experiment
  const large = useStore(isLarge, (now) => now)
  const shown = useStore(shows, (now) => now)
  const measured = useMemo(() => measuredOf(ways), [ways])
  return (
    <section
      className={large ? 'experiment large' : 'experiment'}
      aria-labelledby="experiment-title"
    >
      <div className="bar">
        <h2 id="experiment-title">Experiment</h2>
        <Steps experiment={experiment} />
        <span className="end">
          <span className="pair" role="group" aria-label="Measurements as">
            {(['table', 'chart'] as const).map((name) => (
              <button
                key={name}
                type="button"
                aria-pressed={shown === name}
                onClick={() => shows.set(name)}
              >
                {name}
              </button>
            ))}
          </span>
          <button
            type="button"
            className="plain"
            disabled={measured.length === 0}
            onClick={() => void saveChart(measured)}
          >
            Save SVG
          </button>
          <button
            type="button"
            className="plain"
            aria-label="Enlarge the experiment"
            aria-pressed={large}
            onClick={() => isLarge.set(!large)}
          >
            Enlarge
          </button>
        </span>
      </div>
      {problem && (
        <p className="problem">
          <strong className="bad">!</strong> {problem}
        </p>
      )}
      <LeftOut ways={ways} />
      <div className={`shows-${shown}`}>
        <ExperimentTable experiment={experiment} />
        <ExperimentChart measured={measured} />
      </div>
    </section>
  )
}

/** How far it is, and what comes next. */
function Steps({ experiment: { ways, isMeasuring } }: { experiment: ExperimentState }) {
  const come = ways.filter(({ result }) => result).length
  const right = ways.filter(isRight).length
  const foretold = ways.filter(({ predicted, result }) => predicted && result && !('why' in result))
  return (
    <>
      <p role="status">
        {isMeasuring
          ? `measuring … ${come} of ${ways.length}`
          : come === 0
            ? 'Say what you expect, then measure.'
            : `${come} of ${ways.length} measured`}
        {foretold.length > 0 && ` · as you said: ${right} of ${foretold.length}`}
      </p>
      {isMeasuring && <ActButton action={{ do: 'stop measuring' }}>Stop</ActButton>}
      {!isMeasuring && come < ways.length && (
        <ActButton action={{ do: 'measure' }} className="primary">
          {come === 0 ? `Measure ${counted(ways.length, 'way')}` : 'Measure the rest'}
        </ActButton>
      )}
      {!isMeasuring && come > 0 && (
        <ActButton action={{ do: 'forget measurements' }}>Start over</ActButton>
      )}
    </>
  )
}

/** What could not be measured, and why: `not measured: there is no nginx (11 ways)`. */
function LeftOut({ ways }: { ways: WayState[] }) {
  const reasons = new Map<string, number>()
  for (const { result } of ways) {
    if (result && 'why' in result) reasons.set(result.why, (reasons.get(result.why) ?? 0) + 1)
  }
  if (reasons.size === 0) return null
  const told = [...reasons].map(([why, count]) => `${why} (${counted(count, 'way')})`)
  return (
    <p className="warning">
      <strong>! Not measured:</strong> {told.join('; ')}. <code>npm run setup</code> installs what
      it can.
    </p>
  )
}

export function isRight({ predicted, result }: WayState): boolean {
  return result !== undefined && 'verdict' in result && result.verdict === predicted
}

function measuredOf(ways: WayState[]): Charted[] {
  return ways.flatMap((way) => {
    const { result } = way
    if (!result || 'why' in result) return []
    return [{ row: way, head: result.head, events: result.events }]
  })
}
