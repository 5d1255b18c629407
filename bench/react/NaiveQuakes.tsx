import { useEffect, useState, type ReactNode } from 'react'
import type { Quake } from '#feed'

/** Shows the newest quakes, and sets the state for each event. Otherwise it does the same as the component of lesson 3. */
export function NaiveQuakes({ url }: { url: string }): ReactNode {
  const [status, setStatus] = useState('connecting')
  const [quakes, setQuakes] = useState<Quake[]>([])
  useEffect(() => {
    const source = new EventSource(url)
    source.addEventListener('open', () => setStatus('open'))
    source.addEventListener('message', ({ data }) => {
      const quake = JSON.parse(data) as Quake
      setQuakes((before) => [quake, ...before].slice(0, 100))
    })
    return () => source.close()
  }, [url])
  return (
    <section>
      <p>
        <span role="status">{status}</span>{' '}
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
