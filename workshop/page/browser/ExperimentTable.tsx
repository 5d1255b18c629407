import { VERDICTS, type MeasuredVerdict } from '../../../protocol/experiment.ts'
import { medianDelay, nameOf } from '../../experiment/table.ts'
import type { ExperimentState, WayState } from '../../../protocol/page.ts'
import { act } from './act.ts'
import { isRight } from './Experiment.tsx'
import { useIsGone } from './page-state.ts'

/** A row for each way: what it is, what the reader expects of it, and what was measured. */
export function ExperimentTable({ experiment }: { experiment: ExperimentState }) {
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
                {way.result ? <Said way={way} /> : <Prediction way={way} number={index + 1} />}
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
        void act({ do: 'predict', way: number, verdict })
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
function Said({ way }: { way: WayState }) {
  const { predicted, result } = way
  if (!predicted || !result || 'why' in result) return <span className="quiet">{predicted}</span>
  const right = isRight(way)
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
