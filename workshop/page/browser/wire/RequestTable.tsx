import { useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react'
import type { Exchange } from '../../../../wire/exchange.ts'
import { store, useStore } from '../state/store.ts'
import { formatBytes, formatDuration } from '../ui/format.ts'
import { nameOf, pathOf } from './exchange-log.ts'
import { endOf, statusOf } from './request-cells.ts'
import { matcher } from './request-filter.ts'
import { logTick, selectRequest, unselect, view } from './wire-view.ts'

/** The words that the requests must match. */
export const requestFilter = store('')

/**
 * Shows a row for each request, the newest at the end. Only the rows in sight are in the DOM. The table follows the newest
 * request while it is scrolled to its end.
 */
export function RequestTable() {
  useStore(logTick)
  const { exchanges, request, log } = useStore(view)
  const filter = useStore(requestFilter)
  const matches = useMemo(() => matcher(filter), [filter])
  const rows = exchanges.all.filter(matches)
  const chosen = rows.findIndex(({ id }) => id === request)
  const scroller = useRef<HTMLDivElement>(null)
  const isAtEnd = useRef(true)
  const { top, height } = useScroll(scroller, isAtEnd)
  useClock(rows.some(({ endedAt }) => endedAt === undefined))

  useLayoutEffect(() => {
    if (isAtEnd.current) scroller.current!.scrollTop = scroller.current!.scrollHeight
  })
  useEffect(() => {
    if (chosen !== -1) reveal(scroller.current!, chosen)
    // Only when another request is selected, because otherwise every new row would scroll the table.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [request])

  function press(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(height / ROW_PX) - 2)
    const from = chosen === -1 ? rows.length : chosen
    const to: Record<string, number> = {
      ArrowUp: from - 1,
      ArrowDown: from + 1,
      PageUp: from - page,
      PageDown: from + page,
      Home: 0,
      End: rows.length - 1,
    }
    const index = to[event.key]
    if (event.key === 'Enter') document.getElementById('details')?.focus()
    else if (event.key === 'Escape') unselect()
    else if (index === undefined || rows.length === 0) return
    else selectRequest(rows[Math.min(rows.length - 1, Math.max(0, index))]!.id)
    event.preventDefault()
  }

  const first = Math.max(0, Math.floor(top / ROW_PX) - 2)
  const shown = rows.slice(first, first + Math.ceil(height / ROW_PX) + 5)
  const now = log.now()
  return (
    <div className="requests" ref={scroller}>
      <table
        role="grid"
        aria-label="Requests"
        aria-rowcount={rows.length + 1}
        aria-activedescendant={shown.includes(rows[chosen]!) ? `request-${request}` : undefined}
        tabIndex={0}
        onKeyDown={press}
      >
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col" className="method">
              Method
            </th>
            <th scope="col" className="path">
              Path
            </th>
            <th scope="col" className="status">
              Status
            </th>
            <th scope="col" className="type">
              Type
            </th>
            <th scope="col" className="size">
              Body
            </th>
            <th
              scope="col"
              className="first"
              title="Time from the request to the first byte of the response’s body"
            >
              First byte
            </th>
            <th scope="col" className="duration">
              Duration
            </th>
            <th scope="col" className="ending">
              <span className="words">End</span>
            </th>
          </tr>
        </thead>
        <tbody>
          <Space rows={first} />
          {shown.map((exchange, index) => (
            <Row
              key={exchange.id}
              exchange={exchange}
              rowIndex={first + index + 2}
              isSelected={exchange.id === request}
              // A row whose response has ended does not change with time.
              now={exchange.endedAt ?? now}
            />
          ))}
          <Space rows={rows.length - first - shown.length} />
        </tbody>
      </table>
      {rows.length === 0 && (
        <p className="quiet hint">
          {exchanges.all.length === 0
            ? 'No request has crossed the wire yet.'
            : 'No request matches every word of the filter.'}
        </p>
      )}
    </div>
  )
}

function Row({
  exchange,
  rowIndex,
  isSelected,
  now,
}: {
  exchange: Exchange
  rowIndex: number
  isSelected: boolean
  now: number
}) {
  const { id, connection, method, target, host, type, protocol, responseBytes, startedAt } =
    exchange
  const { firstByteAt, isFailure, status = 0, endedAt } = exchange
  const statuses = statusOf(exchange)
  const { mark, text } = endOf(exchange)
  return (
    <tr
      id={`request-${id}`}
      aria-rowindex={rowIndex}
      aria-selected={isSelected}
      className={endedAt === undefined ? 'open' : undefined}
      title={`${nameOf(exchange)}, #${connection}${host ? ` of ${host}` : ''}`}
      onClick={() => selectRequest(id)}
    >
      <td className="method">{method}</td>
      <td className="path">{pathOf(target)}</td>
      <td className={status >= 400 ? 'status bad' : 'status'}>{statuses.join(', ') || '–'}</td>
      <td className="type" title={type}>
        {protocol ?? type?.replace(/^.*\//, '')}
      </td>
      <td className="size">{formatBytes(responseBytes)}</td>
      <td className="first">
        {firstByteAt === undefined ? '–' : formatDuration(firstByteAt - startedAt)}
      </td>
      <td className="duration">{formatDuration(Math.max(0, now - startedAt))}</td>
      <td className={isFailure ? 'ending bad' : 'ending'} title={text}>
        <span className="mark-of-end">{mark}</span> <span className="words">{text}</span>
      </td>
    </tr>
  )
}

/** Takes the room of rows that are not in sight. */
function Space({ rows }: { rows: number }) {
  return rows > 0 && <tr aria-hidden="true" style={{ height: rows * ROW_PX }} />
}

/** The height of a row, as in the style sheet. */
const ROW_PX = 22

/** Scrolls so that a row is in sight, below the header. */
function reveal(element: HTMLElement, index: number): void {
  const top = index * ROW_PX
  const bottom = top + 2 * ROW_PX
  if (top < element.scrollTop) element.scrollTop = top
  else if (bottom > element.scrollTop + element.clientHeight) {
    element.scrollTop = bottom - element.clientHeight
  }
}

/** Follows the scroll position and the height of an element, and whether it is scrolled to its end. */
function useScroll(
  scroller: React.RefObject<HTMLDivElement | null>,
  isAtEnd: React.RefObject<boolean>,
): { top: number; height: number } {
  const [place, setPlace] = useState({ top: 0, height: 0 })
  useLayoutEffect(() => {
    const element = scroller.current!
    function measure(): void {
      const { scrollTop, clientHeight, scrollHeight } = element
      isAtEnd.current = scrollHeight - scrollTop - clientHeight < ROW_PX
      setPlace({ top: scrollTop, height: clientHeight })
    }
    const resized = new ResizeObserver(measure)
    resized.observe(element)
    element.addEventListener('scroll', measure)
    return () => {
      resized.disconnect()
      element.removeEventListener('scroll', measure)
    }
  }, [scroller, isAtEnd])
  return place
}

/** Renders a few times a second while a response is open, because its time goes on. */
function useClock(isRunning: boolean): void {
  const [, setTicks] = useState(0)
  useEffect(() => {
    if (!isRunning) return
    const clock = setInterval(() => setTicks((ticks) => ticks + 1), 250)
    return () => clearInterval(clock)
  }, [isRunning])
}
