import type { RequestHandler } from 'express'
import { createApp, type ServerOptions } from '#work/07-filtered-stream/server.ts'
import type { Tools } from '../check.ts'
import type { TestServer } from '../serve.ts'
import type { Transcript } from '../transcript.ts'
import { accountOf, type Account } from './account.ts'
import { controlledSource, type ControlledSource } from './quake-source.ts'

/** The learner's app, served with a source and a clock that the check controls. */
export type ServedSource = {
  server: TestServer
  source: ControlledSource
  /** The account of the default token. */
  account: Account
  clock: { second: number }
}

/**
 * @param served.before middleware that runs before the app
 * @param served.transcript the transcript for the steps of the source and of the account
 */
export async function serveSource(
  t: Tools,
  options: ServerOptions = {},
  { before, transcript = t.transcript }: { before?: RequestHandler; transcript?: Transcript } = {},
): Promise<ServedSource> {
  const source = controlledSource(transcript)
  const clock = { second: 0 }
  const now = (): number => START + clock.second * 1000
  const server = await t.serve(createApp(source, { now, ...options }), before)
  return { server, source, clock, account: accountOf(t, server, { transcript }) }
}

/** The clock starts before every recorded quake, so the checks notice a server that uses `quake.time`. */
const START = Date.parse('2018-01-31T00:00:00Z')
