import { useEffect, useRef, useState } from 'react'
import 'uplot/dist/uPlot.min.css'
import type { RecordedEntry } from '../../../wire/entry.ts'
import { store, useStore } from '../../page/browser/state/store.ts'
import { formatBytes } from '../../page/browser/ui/format.ts'
import { Segments } from '../../page/browser/wire/Bytes.tsx'
import { exchangeLog } from '../../page/browser/wire/exchange-log.ts'
import { inspectArrival, type InspectedArrival } from '../../page/browser/wire/inspect-arrival.ts'
import { wireChart } from '../../page/browser/wire/wire-chart.ts'
import { wireLog } from '../../page/browser/wire/wire-log.ts'
import type { View } from '../../page/browser/wire/wire-view.ts'
import { scale } from './reveal.ts'
import type { Recording } from './use-recording.ts'

/** Shows a recorded wire as on the lesson page. */
export function WirePicture({
  recording,
  selected,
}: {
  recording: Recording | undefined
  selected: number | undefined
}) {
  if (!recording) return <div className="picture" />
  if (recording.problem) return <p className="problem">{recording.problem}</p>
  return <Chart entries={recording.entries} selected={selected} />
}

function Chart({ entries, selected }: { entries: RecordedEntry[]; selected: number | undefined }) {
  const container = useRef<HTMLDivElement>(null)
  const [isSeen, setSeen] = useState(false)
  const larger = useStore(scale)

  // reveal.js hides distant slides. A hidden slide has no size, so draw only when the slide gets a size.
  useEffect(() => {
    const resized = new ResizeObserver(() => setSeen(container.current!.clientWidth > 0))
    resized.observe(container.current!)
    return () => resized.disconnect()
  }, [])
  useEffect(() => {
    if (!isSeen) return
    const view = store(viewOf(entries, selected))
    return wireChart(container.current!, { view, scale: larger * FROM_THE_BACK }).remove
  }, [isSeen, entries, selected, larger])

  return (
    <div className="picture" role="img" aria-label={describe(entries)}>
      <div className="canvas" ref={container} />
    </div>
  )
}

/** Shows the bytes of one arrival. */
export function SelectedBytes({
  entries,
  n,
  from,
}: {
  entries: RecordedEntry[]
  n: number
  from: string | undefined
}) {
  const arrival = inspectArrival(entries, n)
  if (!arrival) return null
  const { bytes, segments } =
    from === undefined ? { ...arrival, ...arrival.interpretation } : endOf(arrival, from)
  return (
    <pre className="bytes">
      <span className="quiet">
        {formatBytes(arrival.bytes.length)} ▼ {from !== undefined && '… '}
      </span>
      <Segments segments={segments} bytes={bytes.subarray(0, MOST_BYTES)} />
    </pre>
  )
}

/** Returns the end of an arrival, which begins with the last chunk that contains `text`. */
function endOf({ bytes, interpretation }: InspectedArrival, text: string): EndOfArrival {
  // In this encoding, each byte is a character.
  const at = new TextDecoder('latin1').decode(bytes).lastIndexOf(text)
  const { segments } = interpretation
  const start = segments.findLast(({ kind, from }) => kind === 'size' && from <= at)?.from ?? 0
  return {
    bytes: bytes.subarray(start),
    segments: segments
      .filter(({ to }) => to > start)
      .map(({ kind, from, to }) => ({ kind, from: from - start, to: to - start })),
  }
}

type EndOfArrival = Pick<InspectedArrival, 'bytes'> &
  Pick<InspectedArrival['interpretation'], 'segments'>

function viewOf(entries: RecordedEntry[], selected: number | undefined): View {
  const log = wireLog(entries.length + 1)
  log.add(entries.map(({ entry }) => entry))
  const last = entries.at(-1)?.entry.at ?? 0
  log.stopClock(last)
  const margin = Math.max(last / 25_000, 0.02)
  return {
    log,
    exchanges: exchangeLog(),
    span: 10,
    paused: { from: -margin, to: last / 1000 + margin, end: log.end },
    ...(selected !== undefined && { selected }),
  }
}

/** Returns the number of the entry that is the `count`-th arrival of response bytes at the client. */
export function responseAt({ entries }: Recording, count: number): number | undefined {
  const responses = entries.filter(
    ({ entry }) =>
      entry.kind === 'arrived' && entry.direction === 'response' && entry.hop === 'client',
  )
  return responses[count - 1]?.entry.n
}

/** Describes the picture for people who cannot see it. */
function describe(entries: RecordedEntry[]): string {
  const count = (hop: string): number =>
    entries.filter(
      ({ entry }) =>
        entry.kind === 'arrived' && entry.direction === 'response' && entry.hop === hop,
    ).length
  const seconds = ((entries.at(-1)?.entry.at ?? 0) / 1000).toFixed(1)
  const told = entries.flatMap(({ entry }) =>
    entry.kind === 'note' || entry.kind === 'closed' ? [entry.text] : [],
  )
  return [
    `The wire for ${seconds} seconds: ${count('server')} pieces of response at the server, ${count('client')} at the client`,
    ...told,
  ].join('. ')
}

/** The factor by which the chart is larger than on a page, because people see the deck from farther away. */
const FROM_THE_BACK = 1.6

/** The number of bytes that fit on a slide. */
const MOST_BYTES = 340
