import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join, sep } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express'
import { interpret } from '../../wire/interpret.ts'
import { savedLines } from '../../wire/recording.ts'
import { listen } from '../listen.ts'
import type { Session } from '../session/session.ts'
import { actionIn } from './actions.ts'
import { builtPage } from './build.ts'
import { cursorIn, openChannel } from './channel.ts'
import { refuse, safety } from './safety.ts'

export type PageServer = {
  /** `http://127.0.0.1:3200` */
  readonly url: string
  readonly port: number
  /** Ends every connection and stops listening. */
  close(): Promise<void>
}

/**
 * Serves the page of a lesson on 127.0.0.1. It takes the first port of 3200 to 3249 that is free.
 *
 * @param options.port this one instead, and no other
 * @throws Error when no port is free
 */
export async function pageServer({
  session,
  port,
}: {
  session: Session
  port?: number
}): Promise<PageServer> {
  const server = createServer(pageApp(session))
  const taken = await listen(server, port === undefined ? PORTS : [port])
  return {
    url: `http://127.0.0.1:${taken}`,
    port: taken,
    async close() {
      const closed = once(server, 'close')
      server.close()
      // Channels do not end by themselves.
      server.closeAllConnections()
      await closed
    },
  }
}

function pageApp(session: Session): Express {
  const { recorder } = session
  const epoch = randomBytes(6).toString('hex')
  const app = express()
  app.use(safety(() => session.state.server.component))

  app.get('/channel', withoutHead, (req, res) => {
    // A reconnecting EventSource asks for the same URL, and says in the header how far it came since.
    const id = req.get('Last-Event-ID') ?? String(req.query.after ?? '')
    openChannel({ session, epoch, after: cursorIn(id, epoch, recorder.newest), res })
  })

  app.get('/wire/:n', (req, res) => {
    const n = Number(req.params.n)
    const found = recorder.arrival(n)
    if (!found) {
      refuse(res, 404, 'The bytes of this arrival are no longer kept.')
      return
    }
    const { arrival, before, isWhole } = found
    res.json({
      entry: recorder.after(n - 1, 1)[0],
      bytes: Buffer.from(arrival.bytes.subarray(0, MOST_BYTES)).toString('base64'),
      interpretation: interpret(arrival, before, isWhole),
    })
  })

  app.get('/wire.ndjson', withoutHead, async (_req, res) => {
    res.attachment('wire.ndjson').type('application/x-ndjson')
    await pipeline(Readable.from(inBlocks(savedLines(recorder, session.state.recording.from))), res)
  })

  app.post('/do', express.json({ limit: 4096 }), async (req, res) => {
    if (!req.is('application/json')) {
      refuse(res, 415, 'Send the action as JSON, with Content-Type: application/json.')
      return
    }
    const action = actionIn(req.body, session.state.lesson?.files ?? [])
    if (!action) {
      refuse(res, 400, 'The workshop knows no such action.')
      return
    }
    const answer = await session.act(action)
    res.status('problem' in answer ? 409 : 200).json(answer)
  })

  app.use(builtWhenWanted())
  app.use(nothingHere)
  app.use(failed)
  return app
}

/** Serves the files of the page. The first who asks has it built, should that be necessary. */
function builtWhenWanted(): RequestHandler {
  let built: Promise<RequestHandler> | undefined
  return async (req, res, next) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      next()
      return
    }
    built ??= builtPage().then(filesOf)
    try {
      const serve = await built
      await serve(req, res, next)
    } catch (error) {
      // The next one who asks may have better luck.
      built = undefined
      throw error
    }
  }
}

function filesOf(folder: string): RequestHandler {
  return express.static(folder, {
    redirect: false,
    cacheControl: false,
    setHeaders(res, path) {
      // The names of assets change with what is in them.
      if (!path.startsWith(join(folder, 'assets') + sep)) return
      res.set('Cache-Control', 'public, max-age=31536000, immutable')
    },
  })
}

/** Who asks for the head alone is not kept waiting for the end of a stream. */
const withoutHead: RequestHandler = (req, res, next) => {
  if (req.method === 'HEAD') res.end()
  else next()
}

const nothingHere: RequestHandler = (req, res) => {
  const methods = req.path === '/do' ? ['POST'] : ['GET', 'HEAD']
  if (methods.includes(req.method)) {
    refuse(res, 404, 'There is nothing at this address.')
    return
  }
  res.set('Allow', methods.join(', '))
  refuse(res, 405, `This address takes ${methods.join(' and ')} only.`)
}

// Express knows it by its four parameters.
const failed: ErrorRequestHandler = (error: Error & { status?: number }, _req, res, _next) => {
  if (res.headersSent) {
    // A client must not take half of it for all of it.
    res.destroy()
    return
  }
  refuse(res, error.status ?? 500, error.message)
}

/** A chunk for each line would be more framing than lines. */
function* inBlocks(lines: Iterable<string>): Generator<string> {
  let block = ''
  for (const line of lines) {
    block += line
    if (block.length < 65_536) continue
    yield block
    block = ''
  }
  yield block
}

const PORTS = Array.from({ length: 50 }, (_, index) => 3200 + index)

/** Of one arrival: what a page can show. */
const MOST_BYTES = 65_536
