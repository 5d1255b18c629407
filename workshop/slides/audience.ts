import { randomBytes } from 'node:crypto'
import { Router } from 'express'
import { lastEntryIn, openChannel } from '../page/channel.ts'
import type { Session } from '../page/session.ts'
import type { Leader } from './position.ts'
import { sendPosition } from './send-position.ts'

/** Serves two streams to everybody who watches: what the instructor's deck shows, and the wire of the running program. */
export function audience({ leader, session }: { leader: Leader; session: Session }): Router {
  const epoch = randomBytes(6).toString('hex')
  const router = Router()
  router.get('/position', (req, res) => {
    sendPosition({ leader, epoch, lastEventId: req.get('Last-Event-ID'), res })
  })
  router.get('/channel', (req, res) => {
    const id = req.get('Last-Event-ID') ?? ''
    openChannel({ session, epoch, after: lastEntryIn(id, epoch, session.recorder.newest), res })
  })
  return router
}
