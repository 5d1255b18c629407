import type { Quake } from '#feed'
import { quakes } from '../quakes.ts'
import { sourcesOf } from './browser-event-source.ts'
import { eventOf, notListed, type Mounted } from './mount.ts'

/**
 * Sends many quakes at once and waits until all have been dispatched.
 *
 * @param look called repeatedly while waiting
 */
export async function burst(
  { page, server, watcher }: Mounted,
  count: number,
  look = (): void => {},
): Promise<Quake[]> {
  const few = quakes(10)
  const happened = Array.from({ length: count }, (_, n) => {
    const quake = few[n % few.length]!
    return { ...quake, id: `${quake.id}-${n}` }
  })
  const source = sourcesOf(server.url).at(-1)!
  const before = source.dispatched
  server.send(happened.map(eventOf).join(''), `${count} quakes at once`)
  // Keep waiting as long as more events arrive.
  for (let seen = -1; source.dispatched - before < count;) {
    seen = source.dispatched
    await page.waitFor(() => source.dispatched > seen, {
      seen: () => `Only ${source.dispatched - before} of ${count} events arrived.`,
      expected: 'Expected every event to arrive.',
      often: 'your code closed the connection.',
    })
    look()
  }
  const last = happened.at(-1)!
  await page.waitFor(() => watcher.has(last), notListed(last))
  look()
  return happened
}
