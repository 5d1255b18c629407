import type { GradingState } from '../../../../protocol/page.ts'
import { selectedCheck } from '../state/page-state.ts'
import { useStore } from '../state/store.ts'

export type Check = GradingState['checks'][number]

export function describeCheckState({ state, isEdgeCase, notWritten, lacks }: Check): string {
  const kind = isEdgeCase ? 'edge case, ' : ''
  if (state === 'passed') return `${kind}passed`
  if (lacks) return `${kind}not graded: ${lacks} is not installed`
  if (state === 'not run') return `${kind}no result`
  return kind + (notWritten ? 'not written yet' : 'failed')
}

export function CheckIcon({ check }: { check: Check }) {
  const [shape, hue] = shapeOf(check)
  return (
    <span className={`shape ${hue}`} aria-hidden="true">
      {shape}
    </span>
  )
}

function shapeOf({ state, notWritten, lacks }: Check): [shape: string, hue: string] {
  if (state === 'passed') return ['✓', 'good']
  if (lacks) return ['–', 'quiet']
  return state === 'failed' && !notWritten ? ['✗', 'bad'] : ['○', 'quiet']
}

/** Renders a button that shows a check's details. The button is next to its task, so the label of `2.3a` is only `a`. */
export function CheckButton({ check }: { check: Check }) {
  const isSelected = useStore(selectedCheck, (id) => id === check.id)
  const words = `${describeCheckState(check)}${check.isOld ? ', from an earlier grading' : ''}`
  return (
    <button
      type="button"
      className={`chip${check.isOld ? ' old' : ''}${check.isEdgeCase ? ' edge' : ''}`}
      aria-pressed={isSelected}
      aria-label={`Check ${check.id}, ${words}: ${check.rule}`}
      title={`${check.rule} (${words})`}
      onClick={() => selectedCheck.set(isSelected ? undefined : check.id)}
    >
      <CheckIcon check={check} />
      {check.id.replace(/^[\d.]+/, '')}
    </button>
  )
}
