import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRedisHistory } from './redis-history.ts'
import { createApp } from './server.ts'

export type ProcessOptions = {
  redisUrl: string
  /** The key of the stream. */
  key?: string
  /** The port to listen on. With 0, the system chooses one. */
  port?: number
  /** How long a stalled client may take to read the rest of its response after `stop()`. */
  graceMs?: number
}

/** One of several processes that serve the same history. */
export type ServerProcess = {
  port: number
  /** Ends each response after a whole event, and resolves when nothing is left running. */
  stop(): Promise<void>
}

/** Starts a server on 127.0.0.1 that reads its history from Redis. */
export async function startProcess({
  redisUrl,
  key,
  port = 0,
  graceMs = 5000,
}: ProcessOptions): Promise<ServerProcess> {
  // #region 9.6 startProcess()
  const history = await createRedisHistory({ url: redisUrl, key })
  const shutdown = new AbortController()
  const server = createServer(createApp(history, { shutdown: shutdown.signal }))
  await once(server.listen(port, '127.0.0.1'), 'listening')

  let stopped: Promise<void> | undefined
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => (stopped ??= stop()),
  }

  async function stop(): Promise<void> {
    // Stop listening before the streams end. Otherwise their clients could reconnect to this process.
    const closed = once(server.close(), 'close')
    shutdown.abort()
    const cut = setTimeout(() => server.closeAllConnections(), graceMs)
    await closed
    clearTimeout(cut)
    await history.close()
  }
  // #endregion
}
