import { useEffect, useRef, useState } from 'react'
import 'uplot/dist/uPlot.min.css'
import type { RecordedEntry } from '../../../wire/entry.ts'
import { parseRecording } from '../../../wire/recording.ts'
import { Segments } from '../../page/browser/wire/Bytes.tsx'
import { wireChart } from '../../page/browser/wire/wire-chart.ts'
import { crossingIn } from '../../page/browser/wire/open-recording.ts'
import { store, useStore } from '../../page/browser/state/store.ts'
import { wireLog } from '../../page/browser/wire/wire-log.ts'
import type { View } from '../../page/browser/wire/wire-view.ts'
import { bytes as inBytes } from '../../page/browser/ui/format.ts'
import type { Scene } from '../scene.ts'
import { scale } from './reveal.ts'

/** A recorded wire, as the page of a lesson draws it; and the bytes of one arrival. */
export function WirePicture({ scene }: { scene: Scene }) {
  const [kept, setKept] = useState<RecordedEntry[] | string>()
  useEffect(() => {
    const visit = new AbortController()
    void load(scene.name, visit.signal).then((found) => visit.signal.aborted || setKept(found))
    return () => visit.abort()
  }, [scene.name])
  if (!kept) return <div className="picture" />
  if (typeof kept === 'string') return <p className="problem">{kept}</p>
  const shown = scene.shows === undefined ? undefined : responseAt(kept, scene.shows)
  return (
    <>
      <Chart kept={kept} selected={shown} />
      {shown !== undefined && <ShownBytes kept={kept} n={shown} />}
    </>
  )
}

function Chart({ kept, selected }: { kept: RecordedEntry[]; selected: number | undefined }) {
  const place = useRef<HTMLDivElement>(null)
  const [isSeen, setSeen] = useState(false)
  const larger = useStore(scale, (now) => now)

  // A slide that is far away has no size, and nothing is drawn on it.
  useEffect(() => {
    const resized = new ResizeObserver(() => setSeen(place.current!.clientWidth > 0))
    resized.observe(place.current!)
    return () => resized.disconnect()
  }, [])
  useEffect(() => {
    if (!isSeen) return
    const view = store(viewOf(kept, selected))
    return wireChart(place.current!, { view, scale: larger * FROM_THE_BACK }).remove
  }, [isSeen, kept, selected, larger])

  return (
    <div className="picture" role="img" aria-label={inWords(kept)}>
      <div className="canvas" ref={place} />
    </div>
  )
}

function ShownBytes({ kept, n }: { kept: RecordedEntry[]; n: number }) {
  const crossing = crossingIn(kept, n)
  if (!crossing) return null
  const { bytes, interpretation } = crossing
  return (
    <pre className="bytes">
      <span className="quiet">{inBytes(bytes.length)} ▼ </span>
      <Segments segments={interpretation.segments} bytes={bytes} />
    </pre>
  )
}

async function load(name: string, signal: AbortSignal): Promise<RecordedEntry[] | string> {
  try {
    const response = await fetch(`./recordings/${name}.ndjson`, { signal })
    if (!response.ok) return `There is no recording of ${name}: npm run slides record ${name}`
    return fromZero(parseRecording(await response.text()).entries)
  } catch (error) {
    return (error as Error).message
  }
}

/** A recording begins when its program was started; its picture, with what is seen first. */
function fromZero(kept: RecordedEntry[]): RecordedEntry[] {
  const first = kept[0]?.entry.at ?? 0
  return kept.map(({ entry, ...rest }) => ({ entry: { ...entry, at: entry.at - first }, ...rest }))
}

function viewOf(kept: RecordedEntry[], selected: number | undefined): View {
  const log = wireLog(kept.length + 1)
  log.add(kept.map(({ entry }) => entry))
  const last = kept.at(-1)?.entry.at ?? 0
  log.stopClock(last)
  const margin = Math.max(last / 25_000, 0.02)
  return {
    log,
    span: 10,
    stopped: { from: -margin, to: last / 1000 + margin, end: log.end },
    ...(selected !== undefined && { selected }),
  }
}

/** The number of the entry of a response that reached the client, counted from 1. */
function responseAt(kept: RecordedEntry[], count: number): number | undefined {
  const responses = kept.filter(
    ({ entry }) =>
      entry.kind === 'arrived' && entry.direction === 'response' && entry.hop === 'client',
  )
  return responses[count - 1]?.entry.n
}

/** The picture for who cannot see it. */
function inWords(kept: RecordedEntry[]): string {
  const count = (hop: string): number =>
    kept.filter(
      ({ entry }) =>
        entry.kind === 'arrived' && entry.direction === 'response' && entry.hop === hop,
    ).length
  const seconds = ((kept.at(-1)?.entry.at ?? 0) / 1000).toFixed(1)
  const told = kept.flatMap(({ entry }) =>
    entry.kind === 'note' || entry.kind === 'closed' ? [entry.text] : [],
  )
  return [
    `The wire for ${seconds} seconds: ${count('server')} pieces of response at the server, ${count('client')} at the client`,
    ...told,
  ].join('. ')
}

/** The deck is looked at from farther away than a page. */
const FROM_THE_BACK = 1.6
