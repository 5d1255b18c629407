import { useMemo } from 'react'
import type { Charted } from '../../../experiment/chart.ts'
import { medianDelay, nameOf, toldIn } from '../../../experiment/table.ts'
import { VERDICTS, type MeasuredVerdict } from '../../../../protocol/experiment.ts'
import type { ExperimentState, WayState } from '../../../../protocol/page.ts'
import { useIsGone } from '../state/page-state.ts'
import { requestAction } from '../state/request-action.ts'
import { store, useStore } from '../state/store.ts'
import { ActionButton } from '../ui/ActionButton.tsx'
import { formatCount } from '../ui/format.ts'
import { ExperimentChart, saveChart } from './ExperimentChart.tsx'

/** The form in which the measurements are shown. */
const presentation = store<'table' | 'chart'>('table')

/** Whether the experiment is enlarged and covers the wire. */
const isLarge = store(false)

/**
 * Shows the experiment, in which the learner predicts what happens to a stream in each setup between server and
 * client, measures the setups, and compares the results.
 */
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
          <span className="pair" role="group" aria-label="Show measurements as">
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
            Save as SVG
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

/** Shows the progress of the experiment, and the button for the next step. */
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
          ? `measuring … ${measured} of ${ways.length} done`
          : measured === 0
            ? 'Predict the results, then measure.'
            : `${measured} of ${ways.length} measured`}
        {predictions.length > 0 &&
          ` · predicted correctly: ${rightlyPredicted} of ${predictions.length}`}
      </p>
      {isMeasuring && <ActionButton action={{ do: 'stop measuring' }}>Stop</ActionButton>}
      {!isMeasuring && measured < ways.length && (
        <ActionButton action={{ do: 'measure' }} className="primary">
          {measured === 0 ? `Measure ${formatCount(ways.length, 'setup')}` : 'Measure the rest'}
        </ActionButton>
      )}
      {!isMeasuring && measured > 0 && (
        <ActionButton action={{ do: 'forget measurements' }}>Start over</ActionButton>
      )}
    </>
  )
}

/** Lists the setups that could not be measured, with the reasons: `not measured: there is no nginx (11 setups)`. */
function LeftOut({ ways }: { ways: WayState[] }) {
  const reasons = new Map<string, number>()
  for (const { result } of ways) {
    if (result && 'why' in result) reasons.set(result.why, (reasons.get(result.why) ?? 0) + 1)
  }
  if (reasons.size === 0) return null
  const told = [...reasons].map(([why, count]) => `${why} (${formatCount(count, 'setup')})`)
  return (
    <p className="warning">
      <strong>! Not measured:</strong> {told.join('; ')}. Run <code>npm run setup</code> to install
      what is missing.
    </p>
  )
}

/** Shows a table whose rows have the setup, the prediction and the measured result. */
function Table({ experiment }: { experiment: ExperimentState }) {
  const { ways, isMeasuring } = experiment
  return (
    <div className="ways" role="region" aria-label="Setups" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">between server and client</th>
            <th scope="col">your prediction</th>
            <th scope="col" title="What happened to the stream, and the median delay of its events">
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
      aria-label={`Your prediction for ${nameOf(way)}`}
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

/** Shows the prediction, and whether it was right. */
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
      {result.writesUntilTold !== 0 && (
        <span className="quiet">the server notices a disconnect {toldIn(result)}</span>
      )}
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
