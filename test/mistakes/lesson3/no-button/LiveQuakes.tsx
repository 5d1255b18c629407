// fails: 3.7e
// says: there is no button to retry
import type { ReactNode } from 'react'
import { useQuakes } from './useQuakes.ts'
export function LiveQuakes({ url }: { url: string }): ReactNode {
  const { status, quakes, skipped } = useQuakes(url)
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
