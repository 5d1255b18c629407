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
 * Serves an app at the first of the ports that is free.
 *
 * @param options.host the address to listen on; 127.0.0.1 is heard by this machine alone
 * @throws Error when no port is free
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
      // Channels do not end by themselves.
      server.closeAllConnections()
      await closed
    },
  }
}
