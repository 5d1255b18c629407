import { readFile } from 'node:fs/promises'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ViteDevServer } from 'vite'
import { solutionsFolder } from '../lessons/catalogue.ts'
import { progressOf } from '../lessons/progress.ts'
import { ownWork, type Work } from '../lessons/words.ts'
import { ROOT } from '../root.ts'
import type { Demo } from './demo.ts'

/** The folder of the server.ts that lesson 3 shows quakes of: the learner's lesson 2 when it has passed. */
export function folderOfStreams(work: Work): string {
  const { passed, checks } = progressOf(2)
  const isTheirs = work.folder === ownWork.folder && passed.length === checks.length
  return join(isTheirs ? work.folder : solutionsFolder, '02-server-sent-events')
}

/**
 * Shows somebody's component on a real page, and the streams of `api` under the same origin.
 *
 * They are passed on by hand: the proxy of Vite keeps a stream open whose server has died, and holds a head back
 * until a body follows (https://github.com/vitejs/vite/issues/20712).
 *
 * @param options.component makes the file ready that exports the component; asked each time the page is opened
 * @param options.api the server of the streams; it is stopped with this one
 * @param options.path of the stream: `/events`
 */
export function reactDemo({
  component,
  api,
  path,
}: {
  component(): Promise<string>
  api: Demo
  path: string
}): Demo {
  const streams = new Set<ServerResponse>()
  const front = createServer((incoming, response) => void route(incoming, response))
  const started = start()

  async function start(): Promise<{ port: number; vite: ViteDevServer }> {
    // Loaded when it is wanted: other lessons do without.
    const { createServer: createVite } = await import('vite')
    const { default: react } = await import('@vitejs/plugin-react')
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
    return { port: (front.address() as AddressInfo).port, vite }
  }

  async function route(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '/', headers } = incoming
    const { vite } = await started
    const where = url.split('?')[0]
    // A page from elsewhere cannot send that header.
    const isOrder = method === 'POST' && headers['x-workshop'] !== undefined
    if (where === path) await passOn(incoming, response)
    else if (isOrder && where === '/demo/kill') await kill(response)
    else if (isOrder && where === '/demo/burst') burst(response)
    else if (where === '/') await showPage(vite, response)
    else vite.middlewares(incoming, response)
  }

  async function showPage(vite: ViteDevServer, response: ServerResponse): Promise<void> {
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
    api.burst(BURST)
    response.writeHead(204).end()
  }

  return {
    destination: async () => ({ port: (await started).port }),
    warmUp: () => api.warmUp(),
    restart: () => api.restart(),
    burst: (count) => api.burst(count),
    stop() {
      api.stop()
      front.close()
      front.closeAllConnections()
      void started.then(({ vite }) => vite.close())
    },
  }
}

const BURST = 10_000
const DOWN_MS = 3000
