// fails: 3.7d
// says: missed by nobody
import type { ReactNode } from 'react'
import { useQuakes } from './useQuakes.ts'
export function LiveQuakes({ url }: { url: string }): ReactNode {
  const { status, quakes, retry } = useQuakes(url)
  return (
    <section>
      <p>
        <span role="status">{status}</span>{' '}
        {status === 'closed' && (
          <button type="button" onClick={retry}>
            Retry
          </button>
        )}
      </p>
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
