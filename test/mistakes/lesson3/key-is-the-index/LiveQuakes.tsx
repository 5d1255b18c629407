// fails: 3.7c
// says: the key is made of the index
import type { ReactNode } from 'react'
import { useQuakes } from './useQuakes.ts'
export function LiveQuakes({ url }: { url: string }): ReactNode {
  const { status, quakes, skipped, retry } = useQuakes(url)
  return (
    <section>
      <p>
        <span role="status">{status}</span>
        {skipped > 0 && ` · ${skipped} skipped`}{' '}
        {status === 'closed' && (
          <button type="button" onClick={retry}>
            Retry
          </button>
        )}
      </p>
      <ol>
        {quakes.map(({ magnitude, place }, n) => (
          <li key={n}>
            M {magnitude} · {place}
          </li>
        ))}
      </ol>
    </section>
  )
}
