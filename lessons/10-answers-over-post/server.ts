import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type Response,
} from 'express'
import type { Answer } from './answer.ts'

export type ServerOptions = {
  /** How long an answer goes on without a reader. With 0, it is stopped as soon as its last reader has disconnected. */
  resumeMs?: number
  /** How long an answer can be fetched after its end. */
  keepMs?: number
  /** The interval between heartbeats. */
  heartbeatMs?: number
}

/**
 * Serves `POST /answers`, which answers a question as an event stream. The client names the answer with an
 * `Idempotency-Key`, so that it can ask again without starting a second answer, fetch the rest with `GET /answers/KEY`,
 * and stop the answer with `POST /answers/KEY/stop`.
 *
 * Each token is an event with its number as the ID. The last event is named `done`, `error` or `stopped`.
 */
export function createApp(
  answer: Answer,
  { resumeMs = 0, keepMs = 60_000, heartbeatMs = 15_000 }: ServerOptions = {},
): Express {
  throw new Error('lesson 10, task 10.1: write createApp()')
}

/** Answers with an error in the format of RFC 9457. @param name the last part of the problem's `type` */
function sendProblem(res: Response, status: number, name: string, detail: string): void {
  const type = `https://tremor.example/problems/${name}`
  const title = name.replaceAll('-', ' ')
  res.status(status).type('application/problem+json').json({ type, title, status, detail })
}
