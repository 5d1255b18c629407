import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import react from '@vitejs/plugin-react'
import { createServer as createVite } from 'vite'
import { recordedQuakes } from '#feed'
import { ROOT } from '../root.ts'
import type { Demo } from './demo.ts'

/**
 * Shows somebody's component on a real page, with the streams of `api` under the same origin.
 *
 * The pass-through to the API is ours: the proxy of Vite keeps a stream open whose server has died, and holds a
 * head back until a body follows (https://github.com/vitejs/vite/issues/20712).
 *
 * @param options.component makes the file ready that exports the component; asked each time the page is opened
 * @param options.api the server of the streams; it is stopped with this
 * @param options.path of the stream: `/events`
 */
export async function reactDemo({
  component,
  api,
  path,
}: {
  component(): Promise<string>
  api: Demo
  path: string
}): Promise<Demo> {
  const streams = new Set<ServerResponse>()

  const front = createServer((incoming, response) => {
    const { method, url = '/' } = incoming
    const where = url.split('?')[0]
    if (where === path) void passOn(incoming, response)
    else if (method === 'POST' && where === '/demo/kill') void kill(response)
    else if (method === 'POST' && where === '/demo/burst') burst(response)
    else if (where === '/') void page(response)
    else vite.middlewares(incoming, response)
  })
  const vite = await createVite({
    root: ROOT,
    configFile: false,
    appType: 'custom',
    logLevel: 'error',
    cacheDir: join(ROOT, '.workshop', 'vite'),
    plugins: [react()],
    optimizeDeps: { entries: ['workshop/demo/react/main.tsx'] },
    server: { middlewareMode: true, hmr: { server: front } },
  })
  await new Promise<void>((listening) => front.listen(0, '127.0.0.1', listening))
  const { port } = front.address() as AddressInfo

  async function page(response: ServerResponse): Promise<void> {
    try {
      const file = join(ROOT, 'workshop/demo/react/index.html')
      const html = (await readFile(file, 'utf8'))
        .replace('%WORK%', `/@fs/${(await component()).replace(/^\//, '')}`)
        .replace('%URL%', path)
      response.setHeader('Content-Type', 'text/html').end(await vite.transformIndexHtml('/', html))
    } catch (error) {
      response.writeHead(500).end(String(error))
    }
  }

  /** Each side sees the other's end and its cuts. */
  async function passOn(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const where = await api.destination()
    if ('unavailable' in where) return void response.writeHead(503).end(where.unavailable)
    const outgoing = request(
      { port: where.port, host: '127.0.0.1', path: incoming.url, headers: incoming.headers },
      (answer) => {
        response.writeHead(answer.statusCode!, answer.headers)
        response.flushHeaders()
        streams.add(response)
        answer.pipe(response)
        answer.once('close', () => answer.complete || response.destroy())
      },
    )
    outgoing.once('error', () => response.destroy())
    response.once('close', () => {
      streams.delete(response)
      outgoing.destroy()
    })
    outgoing.end()
  }

  async function kill(response: ServerResponse): Promise<void> {
    api.stop()
    for (const stream of streams) stream.destroy()
    await sleep(DOWN_MS)
    api.restart()
    response.writeHead(204).end()
  }

  function burst(response: ServerResponse): void {
    for (const stream of streams) stream.write(burstOf(BURST))
    response.writeHead(204).end()
  }

  return {
    destination: async () => ({ port }),
    warmUp: () => api.warmUp(),
    restart: () => api.restart(),
    stop() {
      api.stop()
      front.close()
      front.closeAllConnections()
      void vite.close()
    },
  }
}

/** So many quakes as an event stream; the ids of no two bursts are the same. */
function burstOf(count: number): string {
  const recorded = recordedQuakes()
  bursts += 1
  const events = Array.from({ length: count }, (_, n) => {
    const quake = recorded[n % recorded.length]!
    return `data: ${JSON.stringify({ ...quake, id: `${quake.id}-${bursts}-${n}` })}\n\n`
  })
  return events.join('')
}

let bursts = 0
const BURST = 10_000
const DOWN_MS = 3000
