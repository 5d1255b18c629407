import { useQuakes } from './useQuakes.ts'

export function LiveQuakes({ url }: { url: string }) {
  const { status, quakes, received, skipped, retry } = useQuakes(url)
  return (
    <>
      <p role="status">{received} received</p>
      <p role="status">{status}</p>
      {status === 'closed' && <button onClick={retry}>Retry</button>}
      <ol>
        {quakes.map((quake) => (
          <li key={quake.id}>
            <strong>{quake.magnitude}</strong>
            <p>{quake.place}</p>
          </li>
        ))}
        {skipped > 0 && <li>{skipped} skipped</li>}
      </ol>
    </>
  )
}
