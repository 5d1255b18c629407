import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { Assembled } from '../../../../wire/assemble.ts'
import type { Exchange } from '../../../../wire/exchange.ts'
import { useStore } from '../state/store.ts'
import { formatBytes, formatDuration, formatSeconds } from '../ui/format.ts'
import { VisibleText } from '../ui/VisibleText.tsx'
import { BodyView, ItemsView } from './BodyView.tsx'
import { CopyAsCurl } from './CopyAsCurl.tsx'
import { DetailsPane } from './DetailsPane.tsx'
import { pathOf } from './exchange-log.ts'
import { statusOf } from './request-cells.ts'
import { watchExchange } from './watch-exchange.ts'
import { logTick, view } from './wire-view.ts'

/** Shows the selected request and its response: the heads, and the bodies as far as they have arrived. */
export function RequestDetails({ id }: { id: number }) {
  useStore(logTick)
  const { exchanges, saved, log } = useStore(view)
  const exchange = exchanges.find(id)
  const [loaded, setLoaded] = useState<{ id: number; found: Assembled | string }>()
  const pane = useRef<HTMLDivElement>(null)
  const isAtEnd = useRef(false)

  useEffect(() => {
    const loading = new AbortController()
    isAtEnd.current = false
    void watchExchange(id, loading.signal, (found) => {
      const { scrollTop, scrollHeight, clientHeight } = pane.current!
      isAtEnd.current = scrollTop > 0 && scrollHeight - scrollTop - clientHeight < NEAR_PX
      setLoaded({ id, found })
    })
    return () => loading.abort()
  }, [id, saved])
  // Follow the newest events if the reader has scrolled to them.
  useLayoutEffect(() => {
    if (isAtEnd.current) pane.current!.scrollTop = pane.current!.scrollHeight
  }, [loaded])

  const found = loaded?.id === id ? loaded.found : undefined
  return (
    <DetailsPane
      label="The selected request"
      title={exchange ? titleOf(exchange) : 'This request is no longer kept.'}
      actions={exchange && <CopyAsCurl n={exchange.firstEntry} />}
      ref={pane}
    >
      {exchange && (
        <p className="facts-line">
          {factsOf(exchange, log.now()).map((fact) => (
            <span key={fact}>{fact}</span>
          ))}
        </p>
      )}
      {typeof found === 'string' && <p>{found}</p>}
      {typeof found === 'object' && <Messages {...found} />}
    </DetailsPane>
  )
}

/** The distance from the end of the details at which they still follow the newest events. */
const NEAR_PX = 24

function Messages({ request, response, messages }: Assembled) {
  return (
    <>
      <Head of="Request" head={request.head} />
      {request.body && <BodyView of="request" {...request.body} />}
      <Head of="Response" head={response.head} />
      {response.body && <BodyView of="response" {...response.body} />}
      {messages && <ItemsView what="messages" {...messages} />}
      {response.head && !response.body && !messages && (
        <p className="quiet">No body has arrived.</p>
      )}
    </>
  )
}

function Head({ of, head }: { of: string; head: string | undefined }) {
  if (head === undefined) return <p className="quiet">No response has arrived.</p>
  // Interim heads come before the real one.
  const [first, ...headers] = head.split('\n\n').at(-1)!.split('\n')
  const isOnly = !head.includes('\n\n')
  return (
    <details className="message-head">
      <summary>
        {of} <code>{first}</code>
      </summary>
      <pre>
        <VisibleText text={isOnly ? headers.join('\n') : head} />
      </pre>
    </details>
  )
}

/** Returns `GET /events · 200 · text/event-stream · #3`. */
function titleOf(exchange: Exchange): string {
  const { method, target, connection, type, protocol } = exchange
  return [
    `${method} ${pathOf(target)}`,
    statusOf(exchange).join(', ') || 'no response',
    ...[protocol ?? type ?? []].flat(),
    `#${connection}`,
  ].join(' · ')
}

function factsOf(exchange: Exchange, now: number): string[] {
  const { startedAt, headAt, firstByteAt, endedAt, end, requestBytes, responseBytes } = exchange
  const after = (at: number): string => formatDuration(Math.max(0, at - startedAt))
  return [
    `asked at ${formatSeconds(startedAt)}`,
    ...(headAt === undefined ? [] : [`head after ${after(headAt)}`]),
    ...(firstByteAt === undefined ? [] : [`first byte of the body after ${after(firstByteAt)}`]),
    ...(requestBytes > 0 ? [`${formatBytes(requestBytes)} sent`] : []),
    `${formatBytes(responseBytes)} received`,
    endedAt === undefined
      ? `open for ${after(now)}`
      : end === 'complete'
        ? `complete after ${after(endedAt)}`
        : `after ${after(endedAt)} ${end}`,
  ]
}
