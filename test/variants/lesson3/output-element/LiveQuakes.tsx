import { memo, useDeferredValue, type JSX } from 'react'
import type { Quake } from '#feed'
import { useQuakes } from './useQuakes.ts'

export function LiveQuakes(props: { url: string }): JSX.Element {
  const stream = useQuakes(props.url)
  const quakes = useDeferredValue(stream.quakes)
  return (
    <div className="quakes">
      <output aria-live="polite">Connection: {stream.status}</output>
      {stream.status === 'closed' ? <Retry onRetry={stream.retry} /> : null}
      <small>
        {stream.received} received, {`${stream.skipped} skipped`}
      </small>
      <ul>
        {quakes.map((quake) => (
          <Item quake={quake} key={quake.id} />
        ))}
      </ul>
    </div>
  )
}

const Item = memo(function Item({ quake }: { quake: Quake }) {
  return (
    <li>
      <b>{quake.place}</b>-<span>{quake.magnitude}</span>
    </li>
  )
})

function Retry({ onRetry }: { onRetry: () => void }): JSX.Element {
  return <button onClick={() => onRetry()}>retry now</button>
}
