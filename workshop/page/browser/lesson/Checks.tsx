import { useEffect, useRef } from 'react'
import { taskOf } from '../../../lessons/task-of.ts'
import { firstFailure, isStartingPoint, linesPrinted } from '../../../verdict/verdict-summary.ts'
import type { GradingState } from '../../../../protocol/page.ts'
import { selectedCheck, useIsGone, useSlice } from '../state/page-state.ts'
import { useStore } from '../state/store.ts'
import { ActionButton } from '../ui/ActionButton.tsx'
import { formatCount } from '../ui/format.ts'
import { TextWithFileLinks } from '../ui/TextWithFileLinks.tsx'
import { CheckButton, describeCheckState, type Check } from './CheckButton.tsx'
import { CheckDetails, InstallIt } from './CheckDetails.tsx'
import { goToTask } from './TaskLinks.tsx'

/** Shows the grade: every check, the first failure in detail, and the next step. */
export function Checks({ grading }: { grading: GradingState }) {
  const { checks, isRunning } = grading
  const id = useStore(selectedCheck)
  const panel = useRef<HTMLElement>(null)
  useEffect(() => {
    // Do not return the result of `scrollTo()`. In new browsers it is a promise, but React expects a cleanup function.
    panel.current!.scrollTo(0, 0)
  }, [id])
  return (
    <section className="checks" aria-labelledby="checks-title" ref={panel}>
      <div className="bar">
        <h2 id="checks-title">Checks</h2>
        <p className="verdict">
          <Verdict grading={grading} />
        </p>
        <ActionButton action={{ do: 'grade' }} disabled={isRunning}>
          Grade now
        </ActionButton>
      </div>
      <ul className="groups">
        {byTask(checks).map(([task, group]) => (
          <li key={task} className="chips">
            <span className="quiet">{task}</span>
            {group.map((check) => (
              <CheckButton key={check.id} check={check} />
            ))}
          </li>
        ))}
      </ul>
      <TypeErrors grading={grading} />
      <Outcome grading={grading} />
      <PrintedOutput grading={grading} />
    </section>
  )
}

function Verdict({ grading: { checks, isRunning, outcome, seed } }: { grading: GradingState }) {
  const isGone = useIsGone()
  if (isRunning && isGone)
    return <span className="quiet">the workshop stopped during the grading</span>
  if (isRunning) {
    const come = checks.filter(({ isOld }) => !isOld).length
    return (
      <>
        grading … <span className="quiet">{`${come} of ${checks.length} done`}</span>
      </>
    )
  }
  if (!outcome) return <span className="quiet">not graded yet</span>
  const isStart = outcome === 'fail' && isStartingPoint(checks)
  const word = { pass: 'passed', fail: 'not yet', error: 'error', stuck: 'stuck' }[outcome]
  const hue = outcome === 'pass' ? 'good' : outcome === 'fail' ? '' : 'bad'
  return (
    <>
      <strong className={hue}>{isStart ? 'not begun' : word}</strong>
      {seed !== undefined && <span className="quiet seed"> · SEED={seed}</span>}
    </>
  )
}

/** Shows the selected check in detail. If no check is selected, shows the problem, or otherwise the next step. */
function Outcome({ grading }: { grading: GradingState }) {
  const lesson = useSlice('lesson')
  const id = useStore(selectedCheck)
  const { checks, outcome, problem, seed } = grading
  const chosen = checks.find((check) => check.id === id)
  if (chosen) return <CheckDetails check={chosen} seed={seed} />
  if (problem) {
    return (
      <div className="problem">
        <p>
          <strong className="bad">! {outcome}:</strong> <TextWithFileLinks text={problem.what} />
        </p>
        {problem.detail && (
          <pre>
            <TextWithFileLinks text={problem.detail} />
          </pre>
        )}
        <p className="quiet">Fix this first. Until then, no check can be graded.</p>
      </div>
    )
  }
  const edgeCases = checks.filter(({ isEdgeCase, state }) => isEdgeCase && state === 'failed')
  const first = firstFailure(checks)
  if (first?.notWritten && outcome !== 'pass') {
    const task = taskOf(first.id)
    return (
      <div className="next">
        {isStartingPoint(checks) ? (
          <p>This is the starting point. You have not written anything yet, so no check passes.</p>
        ) : (
          <p>Next: {first.notWritten}.</p>
        )}
        <button type="button" className="primary" onClick={() => goToTask(task)}>
          {isStartingPoint(checks) ? `Start with task ${task}` : `Go to task ${task}`}
        </button>
      </div>
    )
  }
  if (first && outcome !== 'pass') return <CheckDetails check={first} seed={seed} />
  if (outcome !== 'pass' || !lesson) return null
  const lacking = checks.filter(({ lacks }) => lacks)
  return (
    <div className="next">
      <p>
        <strong className="good">
          ✓ {edgeCases.length > 0 ? 'Every core check' : 'Every check'}{' '}
          {lacking.length > 0 && 'that could be graded '}has passed.
        </strong>{' '}
        Compare your files with the solution: <code>npm run solution {lesson.number}</code>
      </p>
      {lacking[0] && (
        <p>
          {formatCount(lacking.length, 'check')} {describeCheckState(lacking[0])}
          <InstallIt />
        </p>
      )}
      {lesson.next && <NextLesson {...lesson.next} />}
      {edgeCases[0] && <EdgeCasesLeft count={edgeCases.length} first={edgeCases[0].id} />}
    </div>
  )
}

/** Invites the learner to try the open edge cases. The lesson is passed even without them. */
function EdgeCasesLeft({ count, first }: { count: number; first: string }) {
  return (
    <p>
      {formatCount(count, 'edge case')} {count === 1 ? 'is' : 'are'} left. They are optional.{' '}
      <button type="button" className="link" onClick={() => selectedCheck.set(first)}>
        Show edge case {first}
      </button>
    </p>
  )
}

function NextLesson({ number, title }: { number: number; title: string }) {
  return (
    <ActionButton action={{ do: 'lesson', number }} className="primary">
      Next lesson: {title}
    </ActionButton>
  )
}

function TypeErrors({ grading }: { grading: GradingState }) {
  const { outcome, typeErrors, typeProblem } = grading
  if (typeProblem) return <p className="warning">! {typeProblem}</p>
  // If the work could not be loaded, the problem already gives the reason.
  if (outcome === 'error' || typeErrors.length === 0) return null
  const more = typeErrors.length - MOST_TYPE_ERRORS
  return (
    <div className="warning">
      <p>
        <strong>! Type errors.</strong> The checks run anyway.
      </p>
      <pre>
        <TextWithFileLinks text={typeErrors.slice(0, MOST_TYPE_ERRORS).join('\n')} />
        {more > 0 && `\n… and ${more} more`}
      </pre>
    </div>
  )
}

function PrintedOutput({ grading: { outcome, printed } }: { grading: GradingState }) {
  const lines = linesPrinted(printed)
  if (outcome === 'pass' || lines.length === 0) return null
  const more = lines.length - MOST_PRINTED
  return (
    <details className="printed">
      <summary>Your code printed {formatCount(lines.length, 'line')}</summary>
      <pre>
        <TextWithFileLinks text={lines.slice(0, MOST_PRINTED).join('\n')} />
        {more > 0 && `\n… and ${more} more lines`}
      </pre>
    </details>
  )
}

const MOST_TYPE_ERRORS = 5
const MOST_PRINTED = 20

function byTask(checks: Check[]): [string, Check[]][] {
  const groups = new Map<string, Check[]>()
  for (const check of checks) {
    const task = taskOf(check.id)
    groups.set(task, [...(groups.get(task) ?? []), check])
  }
  return [...groups]
}
