import { pathToFileURL } from 'node:url'
import type { Feed, Quake } from '#feed'

/**
 * Creates the learner's history for a server that needs one. Fills it with all quakes so far and keeps appending new ones.
 *
 * @param file the path of the learner's history.ts
 */
export async function historyOf(file: string, feed: Feed): Promise<unknown> {
  const { createHistory } = (await import(pathToFileURL(file).href)) as {
    createHistory?: () => { append(quake: Quake): void }
  }
  if (typeof createHistory !== 'function') {
    throw new Error('history.ts does not export createHistory()')
  }
  const history = createHistory()
  void fill(history, feed)
  // Let the feed yield all past quakes, which it does without waiting, before a client can connect.
  await new Promise((turned) => setImmediate(turned))
  return history
}

async function fill(history: { append(quake: Quake): void }, feed: Feed): Promise<void> {
  for await (const quake of feed.open(new AbortController().signal)) history.append(quake)
}
