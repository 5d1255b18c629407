import { useQuakes } from './useQuakes.ts'

export function LiveQuakes({ url }: { url: string }) {
  const { status, quakes, skipped, retry } = useQuakes(url)
  return (
    <>
      <p role="status">{status}</p>
      {skipped > 0 && <p>{skipped} skipped</p>}
      {status === 'closed' && <button onClick={retry}>Retry</button>}
      <ol>
        {quakes.map((quake) => (
          <li key={quake.id}>
            <strong>{quake.magnitude}</strong>
            <p>{quake.place}</p>
          </li>
        ))}
      </ol>
    </>
  )
}
