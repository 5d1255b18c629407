import { useSlice } from '../state/page-state.ts'
import { store, useStore } from '../state/store.ts'
import { formatNumber } from '../ui/format.ts'
import { ArrivalDetails } from './ArrivalDetails.tsx'
import { LatestEntries } from './LatestEntries.tsx'
import { RequestDetails } from './RequestDetails.tsx'
import { requestFilter, RequestTable } from './RequestTable.tsx'
import { logTick, view } from './wire-view.ts'

/** The list that the reader has chosen. At first, a lesson shows the arrivals, and `npm run wire` the requests. */
const list = store<'requests' | 'arrivals' | undefined>(undefined)

/** Shows the requests or the latest arrivals, and the details of the one that is selected. */
export function WireEntries() {
  const lesson = useSlice('lesson')
  const { request } = useStore(view)
  const shown = useStore(list) ?? (lesson ? 'arrivals' : 'requests')
  return (
    <div className={`entries ${shown}-shown`}>
      <div className="lists">
        <div className="lists-bar">
          <div className="pair" role="group" aria-label="List">
            <button
              type="button"
              aria-pressed={shown === 'requests'}
              onClick={() => list.set('requests')}
            >
              Requests <RequestCount />
            </button>
            <button
              type="button"
              aria-pressed={shown === 'arrivals'}
              onClick={() => list.set('arrivals')}
            >
              Arrivals
            </button>
          </div>
          {shown === 'requests' && <Filter />}
        </div>
        {shown === 'requests' ? <RequestTable /> : <LatestEntries />}
      </div>
      {request === undefined ? <ArrivalDetails /> : <RequestDetails id={request} />}
    </div>
  )
}

function RequestCount() {
  useStore(logTick)
  const { exchanges } = useStore(view)
  return <span className="quiet">{formatNumber(exchanges.all.length)}</span>
}

function Filter() {
  const filter = useStore(requestFilter)
  return (
    <input
      type="search"
      aria-label="Filter requests"
      placeholder="Filter: /path 5xx event-stream open failed"
      title="Every word must match. A word is a part of the path, method, host or type, or a status such as 200 or 5xx, or open, or failed."
      spellCheck={false}
      value={filter}
      onChange={({ target }) => requestFilter.set(target.value)}
    />
  )
}
