import { useMemo } from 'react'
import type { Charted } from '../../../experiment/chart.ts'
import { medianDelay, nameOf } from '../../../experiment/table.ts'
import { VERDICTS, type MeasuredVerdict } from '../../../../protocol/experiment.ts'
import type { ExperimentState, WayState } from '../../../../protocol/page.ts'
import { useIsGone } from '../state/page-state.ts'
import { requestAction } from '../state/request-action.ts'
import { store, useStore } from '../state/store.ts'
import { ActionButton } from '../ui/ActionButton.tsx'
import { formatCount } from '../ui/format.ts'
import { ExperimentChart, saveChart } from './ExperimentChart.tsx'

/** What the measurements are shown as. */
const presentation = store<'table' | 'chart'>('table')

/** Whether the experiment has all the room there is. */
const isLarge = store(false)

/** Predict, measure, compare: what becomes of a stream on each way from a server to a client. */
export function Experiment({ experiment }: { experiment: ExperimentState }) {
  const { ways, problem } = experiment
  const large = useStore(isLarge)
  const shownAs = useStore(presentation)
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
                aria-pressed={shownAs === name}
                onClick={() => presentation.set(name)}
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
      <div className={`shows-${shownAs}`}>
        <Table experiment={experiment} />
        <ExperimentChart measured={measured} />
      </div>
    </section>
  )
}

/** How far it is, and what comes next. */
function Steps({ experiment: { ways, isMeasuring } }: { experiment: ExperimentState }) {
  const measured = ways.filter(({ result }) => result).length
  const rightlyPredicted = ways.filter(isPredictionRight).length
  const predictions = ways.filter(
    ({ predicted, result }) => predicted && result && !('why' in result),
  )
  return (
    <>
      <p role="status">
        {isMeasuring
          ? `measuring … ${measured} of ${ways.length}`
          : measured === 0
            ? 'Say what you expect, then measure.'
            : `${measured} of ${ways.length} measured`}
        {predictions.length > 0 && ` · as you said: ${rightlyPredicted} of ${predictions.length}`}
      </p>
      {isMeasuring && <ActionButton action={{ do: 'stop measuring' }}>Stop</ActionButton>}
      {!isMeasuring && measured < ways.length && (
        <ActionButton action={{ do: 'measure' }} className="primary">
          {measured === 0 ? `Measure ${formatCount(ways.length, 'way')}` : 'Measure the rest'}
        </ActionButton>
      )}
      {!isMeasuring && measured > 0 && (
        <ActionButton action={{ do: 'forget measurements' }}>Start over</ActionButton>
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
  const told = [...reasons].map(([why, count]) => `${why} (${formatCount(count, 'way')})`)
  return (
    <p className="warning">
      <strong>! Not measured:</strong> {told.join('; ')}. <code>npm run setup</code> installs what
      it can.
    </p>
  )
}

/** A row for each way: what it is, what the reader expects of it, and what was measured. */
function Table({ experiment }: { experiment: ExperimentState }) {
  const { ways, isMeasuring } = experiment
  return (
    <div className="ways" role="region" aria-label="The ways" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">between server and client</th>
            <th scope="col">you expect</th>
            <th
              scope="col"
              title="What became of the stream, and how long half of the events were on their way"
            >
              measured
            </th>
          </tr>
        </thead>
        <tbody>
          {ways.map((way, index) => (
            <tr key={nameOf(way)}>
              <th scope="row">
                <Name way={way} />
              </th>
              <td>
                {way.result ? (
                  <PredictionResult way={way} />
                ) : (
                  <Prediction way={way} number={index + 1} />
                )}
              </td>
              <td>
                <Measured way={way} isMeasuring={isMeasuring} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Name({ way: { hop, setting, server } }: { way: WayState }) {
  return (
    <>
      {hop}
      {setting && <code>{setting}</code>}
      {server && <span className="quiet">the server: {server}</span>}
    </>
  )
}

function Prediction({ way, number }: { way: WayState; number: number }) {
  const isGone = useIsGone()
  return (
    <select
      aria-label={`You expect of ${nameOf(way)}`}
      disabled={isGone}
      value={way.predicted ?? ''}
      onChange={({ target }) => {
        const verdict = target.value === '' ? null : (target.value as MeasuredVerdict)
        void requestAction({ do: 'predict', way: number, verdict })
      }}
    >
      <option value="">?</option>
      {VERDICTS.map((verdict) => (
        <option key={verdict}>{verdict}</option>
      ))}
    </select>
  )
}

/** What was expected, and whether it was so. */
function PredictionResult({ way }: { way: WayState }) {
  const { predicted, result } = way
  if (!predicted || !result || 'why' in result) return <span className="quiet">{predicted}</span>
  const right = isPredictionRight(way)
  return (
    <>
      <span className={right ? 'shape good' : 'shape bad'} aria-hidden="true">
        {right ? '✓' : '✗'}
      </span>{' '}
      {predicted}
      <span className="only-heard">{right ? 'as measured' : 'but measured'}</span>
    </>
  )
}

function Measured({ way: { result }, isMeasuring }: { way: WayState; isMeasuring: boolean }) {
  if (!result) return <span className="quiet">{isMeasuring ? '…' : ''}</span>
  if ('why' in result) return <span className="quiet">not measured: {result.why}</span>
  return (
    <>
      <strong>{result.verdict}</strong> {medianDelay(result)} ms
      {result.told !== 'at once' && <span className="quiet">hears of who left {result.told}</span>}
    </>
  )
}

function isPredictionRight({ predicted, result }: WayState): boolean {
  return result !== undefined && 'verdict' in result && result.verdict === predicted
}

function measuredOf(ways: WayState[]): Charted[] {
  return ways.flatMap((way) => {
    const { result } = way
    if (!result || 'why' in result) return []
    return [{ row: way, head: result.head, events: result.events }]
  })
}
