import type { ReactNode } from 'react'
import { useQuakes } from './useQuakes.ts'

/** Shows the newest quakes at `url` and the state of the connection. */
export function LiveQuakes({ url }: { url: string }): ReactNode {
  const { quakes, ...connection } = useQuakes(url)
  return (
    <section>
      <Connection {...connection} />
      <ol>
        {quakes.map(({ id, magnitude, place }) => (
          <li key={id}>
            M {magnitude} · {place}
          </li>
        ))}
      </ol>
    </section>
  )
}

type ConnectionProps = Omit<ReturnType<typeof useQuakes>, 'quakes'>

/** Shows everything about the stream except for its quakes. */
function Connection(props: ConnectionProps): ReactNode {
  return <p>{props.status}</p>
}
