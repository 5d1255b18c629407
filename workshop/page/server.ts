import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import express, { type Express, type RequestHandler } from 'express'
import { assemble } from '../../wire/assemble.ts'
import { decompress, openDecompressor } from '../../wire/decompress.ts'
import { serializeHar } from '../../wire/har.ts'
import { interpret } from '../../wire/interpret.ts'
import { messageAt } from '../../wire/messages.ts'
import { serializeRecording } from '../../wire/recording.ts'
import type { Session } from './session.ts'
import { copiedRequest } from '../../protocol/curl.ts'
import { actionIn } from './actions.ts'
import { lessonPage } from './bundle.ts'
import type { Bundle } from '../http/build.ts'
import { lastEntryIn, openChannel } from './channel.ts'
import { filesOf } from '../http/files.ts'
import { ROOT } from '../root.ts'
import { failed, refuse, safety } from '../http/safety.ts'
import { newSecret, type Secret } from '../http/secret.ts'
import { serve, type RunningServer } from '../http/serve.ts'

export type PageServer = RunningServer & {
  /** The secret that every changing request must contain. */
  readonly secret: string
  /** The address of the page: `http://127.0.0.1:3200`. */
  readonly url: string
}

/**
 * Serves a session's page on 127.0.0.1.
 *
 * @param options.ports the ports to try; the first free one is used
 * @param options.bundle the bundle that the browser loads
 * @param options.framedBy the origins that may show the page in a frame
 * @throws Error if no port is free
 */
export async function pageServer({
  session,
  ports = PAGE_PORTS,
  bundle = lessonPage,
  framedBy = [],
}: {
  session: Session
  ports?: readonly number[]
  bundle?: Bundle
  framedBy?: readonly string[]
}): Promise<PageServer> {
  const secret = newSecret()
  const served = await serve(pageApp({ session, bundle, framedBy, secret }), { ports })
  return { ...served, secret: secret.value, url: `http://127.0.0.1:${served.port}` }
}

function pageApp({
  session,
  bundle,
  framedBy,
  secret,
}: {
  session: Session
  bundle: Bundle
  framedBy: readonly string[]
  secret: Secret
}): Express {
  const { recorder } = session
  const epoch = randomBytes(6).toString('hex')
  const app = express()
  app.use(safety({ frames: () => framesOf(session), framedBy }))

  app.get('/channel', withoutHead, (req, res) => {
    const id = req.get('Last-Event-ID') ?? ''
    openChannel({ session, epoch, after: lastEntryIn(id, epoch, recorder.newest), res })
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
      interpretation: interpret(arrival, before, isWhole, decompress),
    })
  })

  app.get('/exchange/:id', async (req, res) => {
    const exchange = recorder.exchanges.find(Number(req.params.id))
    const assembled =
      exchange && (await assemble(recorder.arrivalsOf(exchange), exchange.nth, openDecompressor))
    if (!assembled) {
      refuse(res, 404, 'The bytes of this request are no longer kept.')
      return
    }
    res.json(assembled)
  })

  app.get('/wire/:n/request', (req, res) => {
    const n = Number(req.params.n)
    const message = messageAt(recorder.recordedAfter(0, recorder.newest), n)
    if (!message) {
      refuse(res, 404, 'The request of this arrival is no longer kept.')
      return
    }
    res.json(copiedRequest(message))
  })

  app.get('/wire.ndjson', withoutHead, async (_req, res) => {
    res.attachment('wire.ndjson').type('application/x-ndjson')
    const lines = serializeRecording(recorder, session.state.recording.from, originOf(session))
    await pipeline(Readable.from(inBlocks(lines)), res)
  })

  app.get('/wire.har', withoutHead, async (_req, res) => {
    res.attachment('wire.har').type('application/json')
    const har = serializeHar({
      entries: recorder.recordedAfter(0, recorder.newest),
      from: session.state.recording.from,
      began: recorder.began,
      server: originOf(session),
    })
    await pipeline(Readable.from(inBlocks(har)), res)
  })

  app.post('/do', secret.required, express.json({ limit: 4096 }), async (req, res) => {
    if (!req.is('application/json')) {
      refuse(res, 415, 'Send the action as JSON, with Content-Type: application/json.')
      return
    }
    const action = actionIn(req.body, session.state.lesson?.files ?? [])
    if (!action) {
      refuse(res, 400, 'The workshop does not know this action.')
      return
    }
    const answer = await session.act(action)
    res.status('problem' in answer ? 409 : 200).json(answer)
  })

  app.use('/pictures', express.static(PICTURES, { cacheControl: false, redirect: false }))
  app.use(filesOf(bundle, secret))
  app.use(nothingHere)
  app.use(failed)
  return app
}

/** Answers HEAD requests immediately, because a stream might never end. */
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
  refuse(res, 405, `This address only accepts ${methods.join(' and ')}.`)
}

/** Joins lines into blocks, because one chunk per line would send more framing than content. */
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

/** Returns the origin of the server, if it has started. */
function originOf({ state: { server } }: Session): string | undefined {
  return server.watches ?? (URL.canParse(server.url) ? new URL(server.url).origin : undefined)
}

/** Returns the origin of the component that the page shows in a frame, if there is one. */
function framesOf({ state }: Session): string[] {
  const { component } = state.server
  return component ? [new URL(component.url).origin] : []
}

/** The pictures in the READMEs of the lessons. */
const PICTURES = join(ROOT, 'docs/pictures')

const PAGE_PORTS = Array.from({ length: 50 }, (_, index) => 3200 + index)

/** The maximum number of bytes that the page receives of one arrival. */
const MOST_BYTES = 65_536
