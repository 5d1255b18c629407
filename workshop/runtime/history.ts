import { pathToFileURL } from 'node:url'
import type { Feed, Quake } from '#feed'

/**
 * The history of a lesson whose server has one: what has happened is in it, and what happens is appended.
 *
 * @param file the lesson's history.ts
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
  // What has happened is given without a wait. Only then may a client ask for it.
  await new Promise((turned) => setImmediate(turned))
  return history
}

async function fill(history: { append(quake: Quake): void }, feed: Feed): Promise<void> {
  for await (const quake of feed.open(new AbortController().signal)) history.append(quake)
}
