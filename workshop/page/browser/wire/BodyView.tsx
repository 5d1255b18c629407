import type { Body, Content } from '../../../../wire/body.ts'
import type { Items } from '../../../../wire/body-items.ts'
import { formatBytes, formatDuration, formatNumber, formatSeconds } from '../ui/format.ts'
import { VisibleText } from '../ui/VisibleText.tsx'

/** Shows a body, as far as it has arrived: its events or lines with their times, or its text. */
export function BodyView({ of, size, encoding, decompressed, problem, content }: BodyProps) {
  const readable = decompressed ?? size
  return (
    <div className="body">
      {encoding && (
        <p className="quiet">
          {decompressed === undefined
            ? `The ${of} body has ${formatBytes(size)} of ${encoding}.`
            : `${formatBytes(decompressed)} from ${formatBytes(size)} of ${encoding}.`}{' '}
          {decompressed === 0 &&
            'The compressor has not flushed yet, so a client can read nothing.'}
          {problem}
        </p>
      )}
      {content && 'items' in content && <ItemsView what={content.as} {...content} />}
      {content && 'text' in content && <Text {...content} size={readable} />}
    </div>
  )
}

type BodyProps = Body & { of: 'request' | 'response' }

function Text({
  as,
  text,
  shown,
  invalid,
  size,
}: Extract<Content, { text: string }> & { size: number }) {
  return (
    <>
      {invalid && <p className="bad">{invalid}</p>}
      <pre className={as === 'hex' ? 'hex' : 'text'}>
        <VisibleText text={text} />
      </pre>
      {shown < size && (
        <p className="quiet">
          These are the first {formatNumber(shown)} of {formatBytes(size)}.
        </p>
      )}
    </>
  )
}

/** Shows the events, lines or messages of a stream, with their times and the time since the one before. */
export function ItemsView({ what, items, count }: Items & { what: keyof typeof WORDS }) {
  const hidden = count - items.length
  const hasKind = items.some(({ kind }) => kind !== '')
  const hasId = items.some(({ id }) => id !== undefined)
  return (
    <>
      {hidden > 0 && (
        <p className="quiet">
          These are the last {formatNumber(items.length)} of {formatNumber(count)} {WORDS[what]}.
        </p>
      )}
      <table className="items">
        <thead>
          <tr>
            <th scope="col">at</th>
            <th scope="col">after</th>
            {hasKind && <th scope="col">{what === 'events' ? 'event' : 'kind'}</th>}
            {hasId && <th scope="col">id</th>}
            <th scope="col">{what === 'events' ? 'data' : 'text'}</th>
          </tr>
        </thead>
        <tbody>
          {items.map(({ at, kind, id, direction, text, more, note }, index) => (
            <tr key={hidden + index} className={QUIET.has(kind) ? 'quiet' : undefined}>
              <td>{formatSeconds(at)}</td>
              <td>{index > 0 && `+${formatDuration(Math.max(0, at - items[index - 1]!.at))}`}</td>
              {hasKind && (
                <td>
                  {direction && (direction === 'request' ? '→ ' : '← ')}
                  {kind}
                </td>
              )}
              {hasId && <td>{id}</td>}
              <td>
                <VisibleText text={text} />
                {more !== undefined && ` … and ${formatNumber(more)} more characters`}
                {note && <em> ({note})</em>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}

const WORDS = { events: 'events', lines: 'lines', messages: 'messages' }

/** The kinds of items that a client does not deliver. */
const QUIET = new Set(['comment', 'no event', 'blank line', 'ping', 'pong'])
