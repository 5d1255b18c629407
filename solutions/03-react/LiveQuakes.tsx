import type { ReactNode } from 'react'
import { useQuakes } from './useQuakes.ts'

/** Shows the newest quakes at `url` and the state of the connection. */
export function LiveQuakes({ url }: { url: string }): ReactNode {
  // #region 3.7 LiveQuakes()
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
            M {magnitude} · {place}
          </li>
        ))}
      </ol>
    </section>
  )
  // #endregion
}
