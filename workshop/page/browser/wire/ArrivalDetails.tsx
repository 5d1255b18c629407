import { useEffect, useState } from 'react'
import type { Entry } from '../../../../wire/entry.ts'
import { store, useStore } from '../state/store.ts'
import { formatBytes, formatSeconds } from '../ui/format.ts'
import { Bytes } from './Bytes.tsx'
import { CopyAsCurl } from './CopyAsCurl.tsx'
import { describeCursor, describeEntryInFull } from './describe-entry.ts'
import { loadArrival, type InspectedArrival } from './inspect-arrival.ts'
import { view } from './wire-view.ts'

/** Whether the details are enlarged to fill all of the available space. */
const isLarge = store(false)

/** Shows the selected entry and, if it is an arrival, its bytes. */
export function ArrivalDetails() {
  const { log, selected, saved } = useStore(view)
  const position = selected === undefined ? undefined : log.find(selected)
  const entry = position === undefined ? undefined : log.entry(position)
  const [arrival, setArrival] = useState<InspectedArrival | string>()
  const n = entry?.kind === 'arrived' ? entry.n : undefined
  const large = useStore(isLarge)

  useEffect(() => {
    if (n === undefined) return
    const loading = new AbortController()
    void loadArrival(n, loading.signal).then((found) => loading.signal.aborted || setArrival(found))
    return () => loading.abort()
  }, [n, saved])

  return (
    <div
      className={large && entry ? 'arrival large' : 'arrival'}
      role="region"
      aria-label="The selected arrival"
      tabIndex={0}
    >
      {!entry && (
        <p className="quiet hint">
          Select an arrival in the chart or in the list to see its bytes.
        </p>
      )}
      {entry && (
        <div className="title">
          <h3 aria-live="polite">{describe(entry)}</h3>
          {n !== undefined && <CopyAsCurl n={n} />}
          <button
            type="button"
            className="plain"
            aria-pressed={large}
            onClick={() => isLarge.set(!large)}
          >
            Enlarge
          </button>
        </div>
      )}
      {n !== undefined && typeof arrival === 'string' && <p>{arrival}</p>}
      {typeof arrival === 'object' && arrival.entry.n === n && <Bytes {...arrival} />}
    </div>
  )
}

/** Returns `← response · 187 B at 1.204 s · server → client, seen at the client · #2`. */
function describe(entry: Entry): string {
  if (entry.kind !== 'arrived') return describeEntryInFull(entry)
  const { direction, hop, size, at, connection, cursor } = entry
  const arrow = direction === 'request' ? '→ request' : '← response'
  const asks = cursor === undefined ? '' : ` · ${describeCursor(cursor)}`
  return `${arrow}${asks} · ${formatBytes(size)} at ${formatSeconds(at)} · ${describeHop(direction, hop)} · #${connection}`
}

function describeHop(direction: 'request' | 'response', hop: string): string {
  if (hop === 'workshop') return 'workshop → client'
  const between = direction === 'request' ? 'client → server' : 'server → client'
  return `${between}, seen at the ${hop}`
}
