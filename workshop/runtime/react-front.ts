import { readFile, realpath } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { SourceMap } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { pipeline } from 'node:stream'
import express, { type Express, type Request, type RequestHandler, type Response } from 'express'
import type { ViteDevServer } from 'vite'
import { listen } from '../http/ports.ts'
import { onlyFromOurPage, onlyUnderOurName, onThisMachine, refuse } from '../http/safety.ts'
import { ROOT } from '../root.ts'

/** A page with a learner's component, served by a server of its own. */
export type ReactFront = {
  readonly port: number
  /** Resolves when the page can show something. Never rejects, because the page itself shows the errors. */
  readonly isReady: Promise<unknown>
  /** Makes every open page load the component again, from its current folder. */
  reload(): Promise<void>
  /** Ends every connection, and stops listening. */
  close(): Promise<void>
}

/**
 * Shows a component on a page, and updates the page after each save. The stream has the same origin as the page, as it
 * would in production.
 *
 * Code of our own passes the stream on, because Vite's proxy keeps a stream open after its server has died, and delays the
 * head until the body begins (https://github.com/vitejs/vite/issues/20712).
 *
 * @param options.ports the ports to try; the first free one is used
 * @param options.component prepares the file that exports the component and returns its path; called each time the page
 *   is opened
 * @param options.api the port of the server that sends the stream
 * @param options.path the path of the stream, such as `/events`; requests below this path are passed on, too
 * @throws Error if no port is free
 */
export async function reactFront({
  ports,
  component,
  api,
  path,
}: {
  ports: readonly number[]
  component(): Promise<string>
  api: number
  path: string
}): Promise<ReactFront> {
  const front = createServer()
  const port = await listen(front, ports)
  // Do not wait for Vite here, because it takes a second to start.
  const starting = startVite()
  const isReady = starting.catch(() => {})
  front.on('request', app())

  async function startVite(): Promise<ViteDevServer> {
    const { createServer: createVite } = await import('vite')
    const { default: react } = await import('@vitejs/plugin-react')
    const { NODE_ENV } = process.env
    const vite = await createVite({
      root: ROOT,
      configFile: false,
      appType: 'custom',
      // Print nothing, because the page and the grading already report errors in the learner's code.
      logLevel: 'silent',
      cacheDir: join(ROOT, '.workshop', 'vite'),
      plugins: [react()],
      optimizeDeps: { entries: [`${PAGE}/main.tsx`] },
      server: { middlewareMode: true, hmr: { server: front }, cors: false },
    })
    // Undo Vite's change of NODE_ENV, which every program that we start would inherit.
    if (NODE_ENV === undefined) delete process.env.NODE_ENV
    return vite
  }

  function app(): Express {
    const handlers = express()
    handlers.disable('x-powered-by')
    handlers.use(onlyUnderOurName(onThisMachine))
    // The lesson page shows this page in a frame and links to it. Other pages cannot read it.
    handlers.get('/', showPage)
    handlers.use(onlyFromOurPage({ names: onThisMachine }))
    handlers.use('/__open-in-editor', onlyBrowser)
    handlers.use(path, passOn)
    handlers.get('/where', tellPlace)
    handlers.use(async (req, res, next) => (await starting).middlewares(req, res, next))
    return handlers
  }

  async function showPage(_req: Request, res: Response): Promise<void> {
    const html = (await readFile(join(ROOT, PAGE, 'index.html'), 'utf8'))
      .replace('%WORK%', `/@fs/${encodeURI((await component()).replace(/^\//, ''))}`)
      .replace('%URL%', path)
    // Only the lesson page may show this page in a frame.
    res.set('Content-Security-Policy', 'frame-ancestors http://127.0.0.1:* http://localhost:*')
    res.type('html').send(await (await starting).transformIndexHtml('/', html))
  }

  /** Answers with the file and line of the first of the requested stack frames that is in the learner's files. */
  async function tellPlace(req: Request, res: Response): Promise<void> {
    const { moduleGraph } = (await starting).environments.client!
    const folder = await realpath(dirname(await component()))
    for (const at of [req.query.at].flat()) {
      const [, url = '', line, column] = /^(.*):(\d+):(\d+)$/.exec(String(at)) ?? []
      const { file, transformResult } =
        (await moduleGraph.getModuleByUrl(decodeURI(url.split('?')[0]!))) ?? {}
      const map = transformResult?.map
      const name = file && relative(folder, file)
      if (!name || name.startsWith('..') || !map || !('version' in map)) continue
      const entry = new SourceMap({
        ...map,
        file: name,
        sourceRoot: '',
        sourcesContent: [],
      }).findEntry(Number(line) - 1, Number(column) - 1)
      if ('originalLine' in entry)
        return void res.json({ file: name, line: entry.originalLine + 1 })
    }
    res.json(null)
  }

  /** Passes the stream on, so that each side sees when the other ends or cuts it. */
  function passOn(req: Request, res: Response): void {
    const outgoing = request({
      host: '127.0.0.1',
      port: api,
      method: req.method,
      path: req.originalUrl,
      // Use a new connection for each stream, so that the wire shows when it ends.
      agent: false,
      headers: { ...req.headers, connection: 'close' },
    })
    outgoing.once('response', (answer) => {
      const { connection: _, 'keep-alive': __, ...headers } = answer.headers
      res.writeHead(answer.statusCode!, headers).flushHeaders()
      pipeline(answer, res, () => {})
    })
    outgoing.once('error', () => res.destroy())
    res.once('close', () => outgoing.destroy())
    req.pipe(outgoing)
  }

  return {
    port,
    isReady,
    reload: async () => (await starting).ws.send({ type: 'full-reload' }),
    async close() {
      const closed = new Promise((resolve) => front.close(resolve))
      front.closeAllConnections()
      const vite = await isReady
      await vite?.close()
      await closed
    },
  }
}

/** Refuses other programs on this machine. Only browsers send this header. */
const onlyBrowser: RequestHandler = (req, res, next) => {
  if (req.get('Sec-Fetch-Site') === 'same-origin') next()
  else refuse(res, 403, 'Only the page itself may do this.')
}

/** The folder with the files of the page. */
const PAGE = 'workshop/runtime/react'
