import express, { Router } from 'express'
import { failed, refuse } from '../http/safety.ts'
import { reportIn } from '../session/room-report.ts'
import type { Room } from './room.ts'

/**
 * Accepts the reports of learners.
 *
 * A learner posts each report instead of holding a connection, because a report contains the whole state. After a drop, the
 * learner posts the newest report again, and the answer says that the board has it.
 */
export function roomEntrance(room: Room): Router {
  const router = Router()
  router.post('/progress', express.json({ limit: 4096 }), (req, res) => {
    const report = reportIn(req.body)
    if (!report) {
      refuse(res, 400, 'This is not a report of a learner.')
      return
    }
    const problem = room.accept(report, req.socket.remoteAddress ?? '')
    if (problem) refuse(res, 503, problem)
    else res.status(204).end()
  })
  router.delete('/progress/:id', (req, res) => {
    room.remove(req.params.id)
    res.status(204).end()
  })
  router.use(failed)
  return router
}
