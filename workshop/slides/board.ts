import { randomBytes } from 'node:crypto'
import type { RequestHandler } from 'express'
import type { Room } from './room.ts'
import { sendNewest } from './send-newest.ts'

/** Streams the room to the board. After a drop, the board sends the ID of the version that it shows. */
export function board(room: Room): RequestHandler {
  const epoch = randomBytes(6).toString('hex')
  return (req, res) => {
    sendNewest({ source: room, epoch, lastEventId: req.get('Last-Event-ID'), res })
  }
}
