import { useState } from 'react'
import { act } from './act.ts'
import { useSlice } from './page-state.ts'
import { number } from './words.ts'

/** What makes streams fail, at will. */
export function Trouble() {
  const trouble = useSlice('trouble')
  const lesson = useSlice('lesson')
  if (!trouble) return null
  return (
    <div className="trouble" role="group" aria-label="Trouble">
      <button type="button" onClick={() => act({ do: 'cut' })}>
        Cut now
      </button>
      <Limit
        label="Cut after"
        unit="B"
        initial={2000}
        value={trouble.cutAfter}
        inWords={(bytes) => `cuts after ${number(bytes)} B`}
        change={(bytes) => act({ do: 'cut after', bytes })}
      />
      <button
        type="button"
        aria-pressed={trouble.isStalled}
        onClick={() => act({ do: 'stall', on: !trouble.isStalled })}
      >
        {trouble.isStalled ? '■ stalled: let go' : 'Stall'}
      </button>
      <Limit
        label="Slow reader"
        unit="B/s"
        initial={200}
        value={trouble.slow}
        inWords={(bytes) => `reads ${number(bytes)} B/s`}
        change={(bytesPerSecond) => act({ do: 'slow', bytesPerSecond })}
      />
      {lesson && (
        <button type="button" onClick={() => act({ do: 'burst' })}>
          Burst of 10,000
        </button>
      )}
    </div>
  )
}

/** A trouble with a number: the number and a switch; while it is on, what it does in words. */
function Limit({
  label,
  unit,
  initial,
  value,
  inWords,
  change,
}: {
  label: string
  unit: string
  initial: number
  value: number | undefined
  inWords(value: number): string
  change(value: number | null): void
}) {
  const [wanted, setWanted] = useState(String(initial))
  const isOn = value !== undefined
  if (isOn) {
    return (
      <button type="button" aria-pressed="true" onClick={() => change(null)}>
        ■ {inWords(value)}: stop
      </button>
    )
  }
  return (
    <form
      className="limit"
      onSubmit={(event) => {
        event.preventDefault()
        change(Number(wanted))
      }}
    >
      <button type="submit">{label}</button>
      <input
        type="number"
        min={1}
        max={1_000_000_000}
        required
        step={1}
        aria-label={`${label}, ${unit}`}
        value={wanted}
        onChange={({ target }) => setWanted(target.value)}
      />
      <span className="quiet">{unit}</span>
    </form>
  )
}
