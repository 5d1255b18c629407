import type { AddressInfo } from 'node:net'
import type { RunningProxy } from './proxy-process.ts'

/** Starts Vite's development server with a proxy for every path. */
export async function startVite(upstreamPort: number): Promise<RunningProxy> {
  // Load Vite lazily, because it is slow to load.
  const { createServer } = await import('vite')
  const vite = await createServer({
    configFile: false,
    logLevel: 'silent',
    optimizeDeps: { noDiscovery: true },
    server: {
      host: '127.0.0.1',
      port: 0,
      ws: false,
      watch: null,
      proxy: { '/': `http://127.0.0.1:${upstreamPort}` },
    },
  })
  await vite.listen()
  const { port } = vite.httpServer!.address() as AddressInfo
  return { port, stop: () => vite.close() }
}
