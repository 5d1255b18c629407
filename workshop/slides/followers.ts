import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import express, {
  Router,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express'
import { filesOf } from '../http/files.ts'
import { failed, onThisMachine, refuse, safety } from '../http/safety.ts'
import type { Session } from '../page/session.ts'
import type { AgendaChoice } from './agenda-deck.ts'
import { audience } from './audience.ts'
import { recordings, deckView, slidesPage } from './deck-view.ts'
import type { Leader } from './position.ts'
import { roomEntrance } from './room-entrance.ts'
import type { Room } from './room.ts'

/**
 * Returns the app for followers. It serves the deck without notes, the recordings, what the instructor's deck shows, and the
 * running program's wire, but it cannot change or run anything. It accepts the reports of learners, which only the
 * instructor's board shows.
 *
 * @param options.session the session to watch, which must not count its viewers
 * @param options.agenda the agenda whose slides to show; if absent, all slides
 * @param options.room the learners who show their progress; if absent, nobody can
 * @param options.code the join code, which is part of the path; absent if only this machine can connect
 * @param options.wrongCodeMs how long the answer to a wrong code is delayed
 */
export function followersApp({
  leader,
  session,
  agenda,
  room,
  code,
  wrongCodeMs = 1000,
}: {
  leader: Leader
  session: Session
  agenda?: AgendaChoice
  room?: Room
  code?: string
  wrongCodeMs?: number
}): Express {
  const deck = Router()
  if (room) deck.use(roomEntrance(room))
  deck.use(onlyReading)
  deck.get('/deck.json', (_req, res) => void res.json(deckView({ role: 'follower' }, agenda)))
  deck.use(audience({ leader, session }))
  deck.use('/recordings', recordings())
  deck.use(filesOf(slidesPage))

  const app = express()
  app.use(
    safety({
      names: namesOf,
      hasStyles: true,
      hasForm: code !== undefined,
      // A running program is shown in a frame.
      frames: () => ["'self'"],
      framedBy: ["'self'"],
    }),
  )
  app.use(code === undefined ? deck : guarded(code, deck, wrongCodeMs))
  app.use((_req, res) => refuse(res, 404, 'There is nothing at this address.'))
  app.use(failed)
  return app
}

/** Returns the host names that a request may use: the address to which it was sent and, on this machine, the usual names. */
function namesOf(req: Request): string[] {
  const { localPort, localAddress = '' } = req.socket
  // Node may report an IPv4 address as an IPv6 one.
  return [`${localAddress.replace(/^::ffff:/, '')}:${localPort}`, ...onThisMachine(req)]
}

const onlyReading: RequestHandler = (req, res, next) => {
  if (req.method === 'GET') next()
  else {
    res.set('Allow', 'GET')
    refuse(res, 405, 'Followers can only read.')
  }
}

/**
 * Serves everything below `/CODE/`. After a wrong code, its sender has to wait, so that nobody can try all codes. While
 * the sender waits, the right code is refused as well, because otherwise its answer would differ from the others'.
 * Followers who have already used the right code have a pass, and never wait.
 */
function guarded(code: string, deck: Router, wrongCodeMs: number): RequestHandler {
  const pass = `pass=${randomBytes(16).toString('hex')}`
  const waiting = new Set<string>()
  const guard = Router()
  guard.get('/', (req, res) => {
    const { code: said = '' } = req.query
    if (said === '') askForCode(res)
    else res.redirect(303, `/${encodeURIComponent(String(said).trim().toUpperCase())}/`)
  })
  // Browsers request this file by themselves, so the request does not count as a guess.
  guard.get('/favicon.ico', (_req, res) => void res.status(204).end())
  guard.use((req, res, next) => {
    const { socket, headers } = req
    const { cookie = '' } = headers
    if (cookie.includes(pass) || !waiting.has(socket.remoteAddress ?? '')) next()
    else refuseCode(req, res, 429, 'The last code was wrong. Wait a few seconds, then try again.')
  })
  guard.use(`/${code}`, (req, res, next) => {
    res.set('Set-Cookie', `${pass}; Path=/; HttpOnly; SameSite=Strict`)
    // The page loads its files from relative URLs, which need the slash at the end.
    if (req.originalUrl.split('?')[0]!.length > code.length + 1) {
      deck(req, res, () => next('router'))
    } else res.redirect(303, `/${code}/`)
  })
  guard.use(async (req, res) => {
    const { remoteAddress = '' } = req.socket
    waiting.add(remoteAddress)
    await sleep(wrongCodeMs)
    waiting.delete(remoteAddress)
    refuseCode(req, res, 403, 'This is not the code. It is on the screen, and may be new.')
  })
  return guard
}

/** Refuses a code. A person gets the form again, and a script gets only the sentence. */
function refuseCode(req: Request, res: Response, status: number, sentence: string): void {
  if (req.get('Accept')?.includes('text/html')) askForCode(res.status(status), sentence)
  else refuse(res, status, sentence)
}

/** @param problem the reason why the last code was refused */
function askForCode(res: Response, problem = ''): void {
  res.type('html').send(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Tremor: follow the slides</title>
<style>body { font: 20px/1.5 system-ui, sans-serif; margin: 15vh auto; max-width: 24rem; padding: 0 1rem }
input, button { box-sizing: border-box; font: inherit; margin: 0.3rem 0; padding: 0.5rem 0.8rem; width: 100% }
input { letter-spacing: 0.2em; text-transform: uppercase }</style>
<main>
<h1>Follow the slides</h1>
<p role="alert">${problem}</p>
<form action="/"><label>The code on the screen<br><input name="code" maxlength="6" autocapitalize="characters" autocomplete="off" spellcheck="false" autofocus required></label>
<button>Follow</button></form>
</main>
`)
}
