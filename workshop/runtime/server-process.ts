import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isNotWritten } from '../../protocol/not-written.ts'

/** One of several processes of a learner's server. */
export type ServerProcess = { port: number; stop(): Promise<void> }

/**
 * Calls the learner's `startProcess()`. Until it is written, serves the learner's history without it, so that the first
 * tasks of the lesson can be seen on the wire.
 *
 * @param file the path of the learner's process.ts
 */
export async function runServerProcess(file: string, redisUrl: string): Promise<ServerProcess> {
  const { startProcess } = (await import(pathToFileURL(file).href)) as {
    startProcess?: (options: { redisUrl: string }) => Promise<ServerProcess>
  }
  if (typeof startProcess !== 'function') {
    throw new Error('process.ts does not export startProcess()')
  }
  try {
    return await startProcess({ redisUrl })
  } catch (error) {
    if (!isNotWritten(error)) throw error
    return serveHistory(dirname(file), redisUrl)
  }
}

async function serveHistory(folder: string, url: string): Promise<ServerProcess> {
  const { createRedisHistory } = (await importFrom(folder, 'redis-history.ts')) as {
    createRedisHistory(options: { url: string }): Promise<unknown>
  }
  const { createApp } = (await importFrom(folder, 'server.ts')) as {
    createApp(history: unknown): RequestListener
  }
  const server = createServer(createApp(await createRedisHistory({ url })))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { port: (server.address() as AddressInfo).port, async stop() {} }
}

function importFrom(folder: string, name: string): Promise<unknown> {
  return import(pathToFileURL(join(folder, name)).href)
}
