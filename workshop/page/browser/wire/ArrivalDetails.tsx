import { useEffect, useState } from 'react'
import type { Entry } from '../../../../wire/entry.ts'
import type { Interpretation } from '../../../../wire/interpret.ts'
import { Bytes } from './Bytes.tsx'
import { bytesOf } from './inspect-arrival.ts'
import { store, useStore } from '../state/store.ts'
import { view } from './wire-view.ts'
import { behind, bytes, seconds, whatHappened } from '../ui/format.ts'

/** What is known of an arrival: its first bytes, and what they are. */
export type Crossing = {
  entry: Entry & { kind: 'arrived' }
  bytes: Uint8Array
  interpretation: Interpretation
}

/** Whether what is selected has all the room there is. */
const isLarge = store(false)

/** The selected entry, and when it is an arrival, its bytes. */
export function ArrivalInFull() {
  const { log, selected, saved } = useStore(view, (now) => now)
  const position = selected === undefined ? undefined : log.find(selected)
  const entry = position === undefined ? undefined : log.entry(position)
  const [crossing, setCrossing] = useState<Crossing | string>()
  const n = entry?.kind === 'arrived' ? entry.n : undefined
  const large = useStore(isLarge, (now) => now)

  useEffect(() => {
    if (n === undefined) return
    const visit = new AbortController()
    void bytesOf(n, visit.signal).then((found) => visit.signal.aborted || setCrossing(found))
    return () => visit.abort()
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
          Select an arrival, in the chart or in the list, to see its bytes.
        </p>
      )}
      {entry && (
        <div className="title">
          <h3 aria-live="polite">{inWords(entry)}</h3>
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
      {n !== undefined && typeof crossing === 'string' && <p>{crossing}</p>}
      {typeof crossing === 'object' && crossing.entry.n === n && <Bytes {...crossing} />}
    </div>
  )
}

/** `← response · 187 B at 1.204 s · server → client · #2`. */
function inWords(entry: Entry): string {
  if (entry.kind !== 'arrived') {
    const whose = entry.kind === 'note' ? '' : ` · #${entry.connection}`
    return `${whatHappened(entry)} at ${seconds(entry.at)}${whose}`
  }
  const { direction, hop, size, at, connection, cursor } = entry
  const arrow = direction === 'request' ? '→ request' : '← response'
  const asks = cursor === undefined ? '' : ` · ${behind(cursor)}`
  return `${arrow}${asks} · ${bytes(size)} at ${seconds(at)} · ${way(direction, hop)} · #${connection}`
}

function way(direction: 'request' | 'response', hop: string): string {
  if (hop === 'workshop') return 'workshop → client'
  const between = direction === 'request' ? 'client → server' : 'server → client'
  return `${between}, seen at the ${hop}`
}
