// fails: 3.7b
// says: says "M ? ·
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
        {quakes.map(({ id, magnitude, place }) => (
          <li key={id}>
            M {magnitude || '?'} · {place}
          </li>
        ))}
      </ol>
    </section>
  )
}
