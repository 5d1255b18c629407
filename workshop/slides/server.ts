import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import express, { type Express } from 'express'
import { filesOf } from '../http/files.ts'
import { failed, refuse, safety } from '../http/safety.ts'
import { newSecret } from '../http/secret.ts'
import { serve } from '../http/serve.ts'
import { pageServer } from '../page/server.ts'
import type { Session } from '../page/session.ts'
import { ROOT } from '../root.ts'
import type { AgendaChoice } from './agenda-deck.ts'
import { readDeck } from './deck.ts'
import { addresses } from './addresses.ts'
import { audience } from './audience.ts'
import { board } from './board.ts'
import { followersApp } from './followers.ts'
import { leader as makeLeader, stageIn, type Leader } from './position.ts'
import { room as makeRoom, type Room } from './room.ts'
import { sceneSession } from './scene-session.ts'
import { recordings, deckView, slidesPage, type Instructor } from './deck-view.ts'

/** The running servers of the deck. */
export type SlidesServer = {
  /** The address for the instructor: `http://127.0.0.1:3300`. */
  readonly url: string
  /** The addresses for followers, one per network: `http://192.168.1.5:3302`. Empty if there is no network. */
  readonly followersUrls: string[]
  readonly followersPort: number
  /** The address of the programs on slides. */
  readonly demosUrl: string
  readonly leader: Leader
  readonly room: Room
  /** Ends every program and every connection, and stops listening. */
  close(): Promise<void>
}

/**
 * Serves the instructor's deck, the programs on its slides, and the followers' deck, each on its own port. As a result, a
 * stream on a slide uses none of the deck's connections, and followers cannot even reach the server that runs programs.
 *
 * @param options.code the code with which anyone on the network can follow; if absent, only this machine can follow
 * @param options.hosts the addresses of this machine in the networks of followers, if they have a code
 * @param options.agenda the agenda whose slides to show; if absent, all slides
 * @throws Error if no port is free
 */
export async function slidesServer({
  code,
  hosts = code ? addresses() : ['127.0.0.1'],
  agenda,
  ports = SLIDES_PORTS,
}: {
  code?: string
  hosts?: readonly string[]
  agenda?: AgendaChoice
  ports?: readonly number[]
} = {}): Promise<SlidesServer> {
  const leader = makeLeader()
  const session = sceneSession(() => readDeck().scenes)
  const role: Instructor = { role: 'instructor', demoPort: 0 }
  const watched = { leader, session: session.audience }
  const room = makeRoom()
  const deck = await serve(instructorsApp(watched, room, role, agenda), { ports })
  const demos = await pageServer({
    session,
    ports,
    bundle: slidesPage,
    framedBy: NAMES.map((name) => `http://${name}:${deck.port}`),
  })
  role.demoPort = demos.port
  const followers = await serve(
    followersApp({ ...watched, ...(agenda && { agenda }), ...(code && { code, room }) }),
    {
      ports,
      ...(code && { host: '0.0.0.0' }),
    },
  )
  const followersUrls = hosts.map((host) => `http://${host}:${followers.port}`)
  if (code) role.join = { urls: followersUrls, code }
  return {
    url: `http://127.0.0.1:${deck.port}`,
    followersUrls,
    followersPort: followers.port,
    demosUrl: demos.url,
    leader,
    room,
    async close() {
      await Promise.all([deck.close(), demos.close(), followers.close(), session.close()])
    },
  }
}

function instructorsApp(
  watched: { leader: Leader; session: Session },
  room: Room,
  role: Instructor,
  agenda?: AgendaChoice,
): Express {
  const secret = newSecret()
  const app = express()
  app.use(
    safety({
      // The speaker view shows the deck in two frames.
      frames: () => ["'self'", ...NAMES.map((name) => `http://${name}:${role.demoPort}`)],
      framedBy: ["'self'"],
      scripts: [speakerView()],
      hasStyles: true,
    }),
  )
  app.get('/deck.json', (_req, res) => void res.json(deckView(role, agenda)))
  app.post('/position', secret.required, express.json({ limit: 1024 }), (req, res) => {
    const stage = stageIn(req.body)
    if (!stage) refuse(res, 400, 'A deck cannot show this.')
    else {
      watched.leader.show(stage)
      res.status(204).end()
    }
  })
  app.get('/room', board(room))
  // The speaker view shows the running program and the countdown as followers see them.
  app.use(audience(watched))
  app.use('/recordings', recordings())
  app.use(filesOf(slidesPage, secret))
  app.use((_req, res) => refuse(res, 404, 'There is nothing at this address.'))
  app.use(failed)
  return app
}

/** Returns the hash of the speaker view's script, which reveal.js writes into a window instead of loading it from a file. */
function speakerView(): string {
  const plugin = readFileSync(join(ROOT, 'node_modules/reveal.js/dist/plugin/notes.mjs'), 'utf8')
  const [, literal = ''] = /<script>((?:[^"\\]|\\.)*?)<\\\/script>/.exec(plugin) ?? []
  // A tab must be escaped in JSON, but not in JavaScript.
  const script = JSON.parse(`"${literal.replaceAll('\t', '\\t')}"`) as string
  return `'sha256-${createHash('sha256').update(script).digest('base64')}'`
}

const NAMES = ['127.0.0.1', 'localhost']

const SLIDES_PORTS = Array.from({ length: 50 }, (_, index) => 3300 + index)
