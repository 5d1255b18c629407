import { randomBytes, randomInt } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import express, { Router, type Express, type Request, type RequestHandler } from 'express'
import { filesOf } from '../http/files.ts'
import { failed, onThisMachine, refuse, safety } from '../http/safety.ts'
import type { AgendaChoice } from './agenda-deck.ts'
import { sendPosition } from './send-position.ts'
import { recordings, deckView, slidesPage } from './deck-view.ts'
import type { Leader } from './position.ts'

/**
 * Returns the app for followers. It serves the deck without notes, the recordings, and the instructor's position, but it
 * cannot change or run anything.
 *
 * @param options.agenda the agenda whose slides to show; if absent, all slides
 * @param options.code the join code, which is part of the path; absent if only this machine can connect
 * @param options.wrongCodeMs how long the answer to a wrong code is delayed
 */
export function followersApp({
  leader,
  agenda,
  code,
  wrongCodeMs = 1000,
}: {
  leader: Leader
  agenda?: AgendaChoice
  code?: string
  wrongCodeMs?: number
}): Express {
  const epoch = randomBytes(6).toString('hex')
  const deck = Router()
  deck.get('/deck.json', (_req, res) => void res.json(deckView({ role: 'follower' }, agenda)))
  deck.get('/position', (req, res) => {
    sendPosition({ leader, epoch, lastEventId: req.get('Last-Event-ID'), res })
  })
  deck.use('/recordings', recordings())
  deck.use(filesOf(slidesPage))

  const app = express()
  app.use(safety({ names: namesOf, hasStyles: true, hasForm: code !== undefined }))
  app.use(onlyReading)
  app.use(code === undefined ? deck : guarded(code, deck, wrongCodeMs))
  app.use((_req, res) => refuse(res, 404, 'There is nothing at this address.'))
  app.use(failed)
  return app
}

/** Returns a new join code of six letters, without letters that look like other characters. */
export function newCode(): string {
  return Array.from({ length: 6 }, () => LETTERS[randomInt(LETTERS.length)]).join('')
}

/** Returns the addresses at which other machines on the network can reach this machine. */
export function addresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => address)
}

const LETTERS = 'ABCDEFGHJKMNPRSTUVWXYZ'

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
    if (said === '') res.type('html').send(ASKS_FOR_CODE)
    else res.redirect(303, `/${encodeURIComponent(String(said).trim().toUpperCase())}/`)
  })
  // Browsers request this file by themselves, so the request does not count as a guess.
  guard.get('/favicon.ico', (_req, res) => void res.status(204).end())
  guard.use(({ socket, headers: { cookie = '' } }, res, next) => {
    if (cookie.includes(pass) || !waiting.has(socket.remoteAddress ?? '')) next()
    else refuse(res, 429, 'There was a wrong code a moment ago. Try again in a few seconds.')
  })
  guard.use(`/${code}`, (req, res, next) => {
    res.set('Set-Cookie', `${pass}; Path=/; HttpOnly; SameSite=Strict`)
    // The page loads its files from relative URLs, which need the slash at the end.
    if (req.originalUrl.split('?')[0]!.length > code.length + 1) {
      deck(req, res, () => next('router'))
    } else res.redirect(303, `/${code}/`)
  })
  guard.use(async ({ socket: { remoteAddress = '' } }, res) => {
    waiting.add(remoteAddress)
    await sleep(wrongCodeMs)
    waiting.delete(remoteAddress)
    refuse(res, 403, 'This is not the code. Ask your instructor for the link.')
  })
  return guard
}

const ASKS_FOR_CODE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Tremor: follow the slides</title>
<style>body { font: 20px/1.5 system-ui, sans-serif; margin: 15vh auto; max-width: 24rem; padding: 0 1rem }
input, button { font: inherit; padding: 0.3rem 0.6rem; width: 8em }</style>
<main>
<h1>Follow the slides</h1>
<form><label>The code on the screen<br><input name="code" maxlength="6" autocomplete="off" autofocus required></label>
<button>Follow</button></form>
</main>
`
