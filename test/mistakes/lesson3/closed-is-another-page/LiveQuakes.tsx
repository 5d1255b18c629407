// fails: 3.7e
// says: whatever the status is
import type { ReactNode } from 'react'
import { useQuakes } from './useQuakes.ts'
export function LiveQuakes({ url }: { url: string }): ReactNode {
  const { status, quakes, skipped, retry } = useQuakes(url)
  if (status === 'closed') {
    return (
      <section>
        <span role="status">closed</span>
        <button type="button" onClick={retry}>
          Retry
        </button>
      </section>
    )
  }
  return (
    <section>
      <p>
        <span role="status">{status}</span>
        {skipped > 0 && ` · ${skipped} skipped`}{' '}
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
