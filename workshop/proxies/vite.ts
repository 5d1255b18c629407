import type { AddressInfo } from 'node:net'
import type { RunningProxy } from './proxy-process.ts'

/** The proxy of Vite's development server, which passes on everything. */
export async function startVite(upstreamPort: number): Promise<RunningProxy> {
  // Loaded here: it takes its time.
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
