import { join } from 'node:path'
import { runDirFor } from './run-dir.ts'
import { targetPath, type LessonTarget } from './lesson-target.ts'

/** A lesson's component on a page of its own, which always shows the last saved version. */
export type ShownComponent = {
  readonly url: string
  /** The lesson's own port. Absent unless another program has taken that port. */
  readonly preferredPort?: number
  readonly isReady: Promise<unknown>
  saved(): Promise<void>
  close(): Promise<void>
}

/**
 * Serves a page that shows the component of a lesson.
 *
 * @param options.file the name of the file that exports the component
 * @param options.api the port of the server that sends the stream
 * @param options.path the path of the stream
 */
export async function showComponent({
  file,
  api,
  path,
  ...target
}: LessonTarget & { file: string; api: number; path: string }): Promise<ShownComponent> {
  // Load this module lazily, because other lessons do not need it.
  const { reactFront } = await import('../runtime/react-front.ts')
  const { lesson, work } = target
  const runDir = runDirFor(work, targetPath(target))
  let folder = runDir.folder()
  const first = FIRST_PORT + lesson.number
  const front = await reactFront({
    ports: Array.from({ length: 50 - lesson.number }, (_, n) => first + n),
    component: async () => join(await folder, file),
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
      // Vite watches the files of the work. If the files are copied, a save changes their path, so the page must reload.
      if ((await folder) !== before) await front.reload()
    },
    async close() {
      await front.close()
      await runDir.remove()
    },
  }
}

const FIRST_PORT = 3150
