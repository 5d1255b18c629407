import { useId, useState } from 'react'
import type { ProxyHolds } from '../../../../protocol/page.ts'
import { useIsGone, useSlice } from '../state/page-state.ts'
import { requestAction } from '../state/request-action.ts'
import { ActionButton } from '../ui/ActionButton.tsx'
import { formatNumber } from '../ui/format.ts'

/** Shows the controls that make streams fail. */
export function FaultControls() {
  const faults = useSlice('faults')
  const lesson = useSlice('lesson')
  const server = useSlice('server')
  if (!faults) return null
  return (
    <div className="trouble" role="group" aria-label="Faults">
      <ActionButton action={{ do: 'cut' }}>Cut now</ActionButton>
      <Limit
        label="Cut after"
        unit="B"
        initial={2000}
        value={faults.cutAfter}
        inWords={(bytes) => `Cutting after ${formatNumber(bytes)} B`}
        change={(bytes) => requestAction({ do: 'cut after', bytes })}
      />
      <ActionButton action={{ do: 'stall', on: !faults.isStalled }} aria-pressed={faults.isStalled}>
        {faults.isStalled ? '■ Stalled: resume' : 'Stall'}
      </ActionButton>
      <Limit
        label="Slow reader"
        unit="B/s"
        initial={200}
        value={faults.slow}
        inWords={(bytes) => `Reading ${formatNumber(bytes)} B/s`}
        change={(bytesPerSecond) => requestAction({ do: 'slow', bytesPerSecond })}
      />
      <Proxy holds={faults.proxy} />
      {lesson && server?.question === undefined && (
        <ActionButton action={{ do: 'burst' }}>Burst of 10,000</ActionButton>
      )}
    </div>
  )
}

/** Lets the reader choose a proxy between server and client. The wire shows the proxy's input and output. */
function Proxy({ holds }: { holds: ProxyHolds | undefined }) {
  const isGone = useIsGone()
  return (
    <select
      aria-label="Proxy between server and client"
      disabled={isGone}
      value={holds ?? ''}
      className={holds && 'on'}
      onChange={({ target }) =>
        void requestAction({
          do: 'proxy',
          holds: target.value === '' ? null : (target.value as ProxyHolds),
        })
      }
    >
      <option value="">No proxy</option>
      <option value="4 KiB">Proxy buffers 4 KiB</option>
      <option value="all">Proxy buffers all</option>
    </select>
  )
}

/** Renders the controls of a fault with a numeric limit: a button and an input or, while it is on, a button that stops it. */
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
  const [isRefused, setRefused] = useState(false)
  const isGone = useIsGone()
  const message = useId()
  const isOn = value !== undefined
  if (isOn) {
    return (
      <button type="button" aria-pressed="true" disabled={isGone} onClick={() => change(null)}>
        ■ {inWords(value)}: stop
      </button>
    )
  }
  return (
    <form
      className="limit"
      onSubmit={(event) => {
        event.preventDefault()
        const isNumber = /^[1-9]\d{0,8}$/.test(wanted.trim())
        setRefused(!isNumber)
        if (isNumber) change(Number(wanted))
      }}
    >
      <button type="submit" disabled={isGone}>
        {label}
      </button>
      <input
        inputMode="numeric"
        autoComplete="off"
        maxLength={9}
        aria-label={`${label}, ${unit}`}
        aria-invalid={isRefused}
        aria-describedby={isRefused ? message : undefined}
        value={wanted}
        onChange={({ target }) => {
          setWanted(target.value)
          setRefused(false)
        }}
      />
      <span className="quiet">{unit}</span>
      {isRefused && (
        <span className="bad" role="alert" id={message}>
          ! Enter a whole number, 1 or more
        </span>
      )}
    </form>
  )
}
