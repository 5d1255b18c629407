import { useEffect, useState } from 'react'
import type { Entry } from '../../../../wire/entry.ts'
import { useStore } from '../state/store.ts'
import { formatBytes, formatSeconds } from '../ui/format.ts'
import { Bytes } from './Bytes.tsx'
import { CopyAsCurl } from './CopyAsCurl.tsx'
import { describeCursor, describeEntryInFull, nameOfConnectionAt } from './describe-entry.ts'
import { DetailsPane } from './DetailsPane.tsx'
import type { ExchangeLog } from './exchange-log.ts'
import { loadArrival, type InspectedArrival } from './inspect-arrival.ts'
import { view } from './wire-view.ts'

/** Shows the selected entry and, if it is an arrival, its bytes. */
export function ArrivalDetails() {
  const { log, exchanges, selected, saved } = useStore(view)
  const position = selected === undefined ? undefined : log.find(selected)
  const entry = position === undefined ? undefined : log.entry(position)
  const [arrival, setArrival] = useState<InspectedArrival | string>()
  const n = entry?.kind === 'arrived' ? entry.n : undefined

  useEffect(() => {
    if (n === undefined) return
    const loading = new AbortController()
    void loadArrival(n, loading.signal).then((found) => loading.signal.aborted || setArrival(found))
    return () => loading.abort()
  }, [n, saved])

  return (
    <DetailsPane
      label="The selected arrival"
      title={entry && describe(entry, exchanges)}
      actions={n !== undefined && <CopyAsCurl n={n} />}
    >
      {!entry && (
        <p className="quiet hint">
          Select a request to see its headers and its body, or an arrival in the chart or in the
          list to see its bytes.
        </p>
      )}
      {n !== undefined && typeof arrival === 'string' && <p>{arrival}</p>}
      {typeof arrival === 'object' && arrival.entry.n === n && <Bytes {...arrival} />}
    </DetailsPane>
  )
}

/** Returns `← response · 187 B at 1.204 s · server → client, seen at the client · GET /events, #2`. */
function describe(entry: Entry, exchanges: ExchangeLog): string {
  if (entry.kind !== 'arrived') return describeEntryInFull(entry, exchanges)
  const { direction, hop, size, at, cursor } = entry
  const arrow = direction === 'request' ? '→ request' : '← response'
  const asks = cursor === undefined ? '' : ` · ${describeCursor(cursor)}`
  const name = nameOfConnectionAt(entry, exchanges)
  return `${arrow}${asks} · ${formatBytes(size)} at ${formatSeconds(at)} · ${describeHop(direction, hop)} · ${name}`
}

function describeHop(direction: 'request' | 'response', hop: string): string {
  if (hop === 'workshop') return 'workshop → client'
  const between = direction === 'request' ? 'client → server' : 'server → client'
  return `${between}, seen at the ${hop}`
}
