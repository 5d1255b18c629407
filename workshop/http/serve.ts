import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { listen } from './ports.ts'

/** A server that is listening. */
export type RunningServer = {
  readonly port: number
  /** Ends every connection and stops listening. */
  close(): Promise<void>
}

/**
 * Serves an app on the first free port of a list.
 *
 * @param options.host the address to listen on; with 127.0.0.1, only this machine can connect
 * @throws Error if no port is free
 */
export async function serve(
  app: RequestListener,
  { ports, host }: { ports: readonly number[]; host?: string },
): Promise<RunningServer> {
  const server = createServer(app)
  const port = await listen(server, ports, host)
  return {
    port,
    async close() {
      const closed = once(server, 'close')
      server.close()
      // Event streams do not end by themselves.
      server.closeAllConnections()
      await closed
    },
  }
}
