import { existsSync, readdirSync, statSync, watch, type FSWatcher } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Calls `saved` soon after a file in `folder` has been written, replaced, added or deleted. Keeps watching even if the
 * folder itself is deleted and created again.
 *
 * @returns a function that stops watching
 */
export function watchFolder(folder: string, saved: () => void): () => void {
  let watcher: FSWatcher | undefined
  let debounce: NodeJS.Timeout | undefined
  let seen = signature(folder)
  let isStopped = false

  function rewatch(): void {
    watcher?.close()
    // If the folder is missing, watch its parent to learn when it is created again.
    const nearest = [folder, dirname(folder)].find(existsSync) ?? process.cwd()
    watcher = watch(nearest, look)
    // On Windows, the watcher emits an error if the folder is deleted.
    watcher.on('error', look)
  }

  function look(): void {
    clearTimeout(debounce)
    debounce = setTimeout(() => {
      if (isStopped) return
      // Compare signatures, because an editor causes several events per save, and others for its temporary files.
      const now = signature(folder)
      if (now === seen) return
      const isOtherFolder = now.split('\n')[0] !== seen.split('\n')[0]
      seen = now
      if (isOtherFolder) rewatch()
      saved()
    }, DEBOUNCE_MS)
  }

  rewatch()
  return () => {
    isStopped = true
    clearTimeout(debounce)
    watcher?.close()
  }
}

/** Returns the inode of the folder, followed by the name, time and size of each file. */
function signature(folder: string): string {
  try {
    const files = readdirSync(folder)
      .filter((name) => !/^\.|~$|^4913$/.test(name))
      .map((name) => {
        const { mtimeMs, size } = statSync(join(folder, name))
        return `${name} ${mtimeMs} ${size}`
      })
    return [statSync(folder).ino, ...files].join('\n')
  } catch {
    return 'gone'
  }
}

const DEBOUNCE_MS = 40
