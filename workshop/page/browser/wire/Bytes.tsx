import { useState } from 'react'
import { hexDump } from '../../../../wire/hex-dump.ts'
import { visible } from '../../../../wire/visible.ts'
import { formatBytes, formatNumber } from '../ui/format.ts'
import { VisibleText } from '../ui/VisibleText.tsx'
import type { InspectedArrival } from './inspect-arrival.ts'

/** Shows an arrival's bytes, as text with the HTTP framing marked or as a hex dump, and the events in the bytes. */
export function Bytes({ entry, bytes, interpretation }: InspectedArrival) {
  const [isWhole, setWhole] = useState(false)
  const [asHex, setAsHex] = useState(false)
  const displayed = isWhole ? bytes : bytes.subarray(0, MOST_AT_ONCE)
  const { segments, events, decompressed, isWhole: isKnown } = interpretation
  return (
    <>
      <div className="bytes">
        <div>
          <div className="pair" role="group" aria-label="Show bytes as">
            <button type="button" aria-pressed={!asHex} onClick={() => setAsHex(false)}>
              text
            </button>
            <button type="button" aria-pressed={asHex} onClick={() => setAsHex(true)}>
              hex
            </button>
          </div>
          {asHex ? (
            <pre className="hex">{hexDump(displayed)}</pre>
          ) : (
            <pre className="text">
              <Segments segments={segments} bytes={displayed} />
            </pre>
          )}
          {decompressed && <Content {...decompressed} />}
        </div>
        {events && <Events {...events} />}
      </div>
      {displayed.length < bytes.length && (
        <button type="button" onClick={() => setWhole(true)}>
          Show all {formatBytes(bytes.length)}
        </button>
      )}
      {bytes.length < entry.size && (
        <p className="quiet">
          These are the first {formatNumber(bytes.length)} of {formatBytes(entry.size)}.
        </p>
      )}
      {!isKnown && (
        <p className="quiet">
          The beginning of this connection is no longer kept, so framing and content cannot be
          distinguished.
        </p>
      )}
    </>
  )
}

const MOST_AT_ONCE = 4096

/** Shows the bytes as text, with each part of the HTTP message in its own style. */
export function Segments({
  segments,
  bytes,
}: {
  segments: InspectedArrival['interpretation']['segments']
  bytes: Uint8Array
}) {
  return segments
    .filter(({ from }) => from < bytes.length)
    .map(({ kind, from, to, label, text = visible(bytes.subarray(from, to)) }) => (
      <Segment key={from} kind={kind} text={label ?? text} />
    ))
}

/** Shows one part of an HTTP message. As in the terminal, brackets mark the framing that the server's code did not write. */
function Segment({ kind, text }: { kind: string; text: string }) {
  if (kind === 'head' || kind === 'interim' || kind === 'data') {
    return (
      <span className={kind === 'data' ? 'data' : 'head'}>
        <VisibleText text={text.replaceAll('␊', '␊\n')} />
      </span>
    )
  }
  const word = { last: 'last ', extra: 'not HTTP: ' }[kind] ?? ''
  return (
    <span className={kind === 'extra' ? 'bad' : 'framing'}>
      [{word}
      <VisibleText text={text} />]
    </span>
  )
}

/** Shows what a compressed response says. */
function Content(decompressed: NonNullable<InspectedArrival['interpretation']['decompressed']>) {
  const { encoding, of: compressed } = decompressed
  if ('problem' in decompressed) {
    return (
      <p className="quiet">
        Compressed with {encoding}. {decompressed.problem}
      </p>
    )
  }
  const { size, text } = decompressed
  return (
    <>
      <h4>
        {formatBytes(size)} from {formatBytes(compressed)} of {encoding}
      </h4>
      {size === 0 ? (
        <p className="quiet">
          The compressor has not flushed yet, so a client can read nothing new.
        </p>
      ) : (
        <pre className="text">
          <VisibleText text={text.replaceAll('␊', '␊\n')} />
        </pre>
      )}
    </>
  )
}

function Events({ lines, dispatched }: NonNullable<InspectedArrival['interpretation']['events']>) {
  return (
    <div className="events">
      <h4>fields</h4>
      {lines.length === 0 && <p className="quiet">No complete line yet.</p>}
      <ul>
        {lines.slice(0, MOST_LISTED).map(({ field, value, isComment }, index) => (
          // The lines never change their order.
          // oxlint-disable-next-line react/no-array-index-key
          <li key={index}>
            {isComment ? (
              <span className="quiet">comment {visible(value) || '(empty)'}</span>
            ) : (
              <>
                <strong>
                  <VisibleText text={visible(field)} />
                </strong>{' '}
                <VisibleText text={visible(value)} />
              </>
            )}
          </li>
        ))}
      </ul>
      <More of={lines.length} />
      <h4>{dispatched.length === 1 ? 'event' : 'events'}</h4>
      {dispatched.length === 0 && <p className="quiet">None. A client dispatches no event.</p>}
      <ul>
        {dispatched.slice(0, MOST_LISTED).map(({ type, data, lastEventId }, index) => (
          // oxlint-disable-next-line react/no-array-index-key
          <li key={index}>
            <strong>{type}</strong>
            {lastEventId && <span className="quiet"> id {lastEventId}</span>}
            <pre>{data}</pre>
          </li>
        ))}
      </ul>
      <More of={dispatched.length} />
    </div>
  )
}

/** Says how many items of a list are not shown, because a browser would need seconds to show them all. */
function More({ of: count }: { of: number }) {
  return (
    count > MOST_LISTED && <p className="quiet">… and {formatNumber(count - MOST_LISTED)} more</p>
  )
}

const MOST_LISTED = 500
