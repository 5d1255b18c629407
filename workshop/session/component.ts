import { join } from 'node:path'
import { runDirFor } from './run-dir.ts'
import { targetPath, type LessonTarget } from './lesson-target.ts'

/** A component on a page of its own, which shows it as it was saved last. */
export type ShownComponent = {
  readonly url: string
  /** The port that the page would have had, had nobody else taken it. */
  readonly preferredPort?: number
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
export async function showComponent({
  api,
  path,
  ...target
}: LessonTarget & { api: number; path: string }): Promise<ShownComponent> {
  // Loaded when it is wanted: other lessons do without.
  const { reactFront } = await import('../runtime/react-front.ts')
  const { lesson, work, isExhibit } = target
  const runDir = runDirFor(work, targetPath(target))
  let folder = runDir.folder()
  const first = FIRST_PORT + lesson.number
  const front = await reactFront({
    ports: Array.from({ length: 50 - lesson.number }, (_, n) => first + n),
    component: async () => join(await folder, isExhibit ? 'SSEExample.jsx' : 'LiveQuakes.tsx'),
    api,
    path,
  })
  return {
    url: `http://127.0.0.1:${front.port}/`,
    ...(front.port !== first && { preferredPort: first }),
    isReady: front.isReady,
    async saved() {
      const before = await folder
      folder = runDir.folder()
      // Vite sees a save where the work is. A new copy of it is another file.
      if ((await folder) !== before) await front.reload()
    },
    async close() {
      await front.close()
      await runDir.remove()
    },
  }
}

const FIRST_PORT = 3150
