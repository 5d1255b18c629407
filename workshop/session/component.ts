import { join } from 'node:path'
import { placeToRun } from '../demo/place.ts'
import { pathOf, type Running } from './running.ts'

/** A component on a page of its own, which shows it as it was saved last. */
export type FollowedComponent = {
  readonly url: string
  /** The port that the page would have had, had nobody else taken it. */
  readonly taken?: number
  readonly isReady: Promise<unknown>
  saved(): Promise<void>
  close(): Promise<void>
}

/**
 * Shows the component of a lesson.
 *
 * @param options.api the port of the server that its stream comes from
 * @param options.path of that stream
 */
export async function followComponent({
  api,
  path,
  ...running
}: Running & { api: number; path: string }): Promise<FollowedComponent> {
  // Loaded when it is wanted: other lessons do without.
  const { reactFront } = await import('../demo/react-front.ts')
  const { lesson, work, isExhibit } = running
  const place = placeToRun(work, pathOf(running))
  let folder = place.folder()
  const first = FIRST_PORT + lesson.number
  const front = await reactFront({
    ports: Array.from({ length: 50 - lesson.number }, (_, n) => first + n),
    component: async () => join(await folder, isExhibit ? 'SSEExample.jsx' : 'LiveQuakes.tsx'),
    api,
    path,
  })
  return {
    url: `http://127.0.0.1:${front.port}/`,
    ...(front.port !== first && { taken: first }),
    isReady: front.isReady,
    async saved() {
      const before = await folder
      folder = place.folder()
      // Vite sees a save where the work is. A new copy of it is another file.
      if ((await folder) !== before) await front.reload()
    },
    async close() {
      await front.close()
      await place.remove()
    },
  }
}

const FIRST_PORT = 3150
