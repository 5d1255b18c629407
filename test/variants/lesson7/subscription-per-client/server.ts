import { PassThrough, pipeline } from 'node:stream'
import express, { type ErrorRequestHandler, type Express, type Response } from 'express'
import type { Quake } from '#feed'
import { bearerToken, readChange, sendProblem, type Change } from './requests.ts'
import { parseRule, RuleError, type Rule } from './rule.ts'

/** Calls `onQuake` for each quake, as soon as the quake happens. `subscribe()` returns a function that unsubscribes. */
export type QuakeSource = { subscribe(onQuake: (quake: Quake) => void): () => void }

export type ServerOptions = {
  /** The bearer tokens. Each token has an account of its own. */
  tokens?: readonly string[]
  /** The longest silence on a stream before the server sends a keep-alive. */
  keepAliveMs?: number
  /** The number of streams that an account may have open. */
  maxConnections?: number
  /** The number of rules that an account may have. */
  maxRules?: number
  /** The number of bytes that may wait for a slow client before the server cuts its connection. */
  maxBufferedBytes?: number
  /** Returns the time in milliseconds. */
  now?: () => number
}

/**
 * Serves `GET /stream`, which sends the quakes that match the account's rules as lines of JSON, and `/stream/rules`, which
 * changes these rules while the stream stays open.
 *
 * @param quakes the source. The app subscribes at once, because a client may ask for quakes from before it connected.
 */
export function createApp(
  quakes: QuakeSource,
  {
    tokens = ['tremor'],
    keepAliveMs = 20_000,
    maxConnections = 1,
    maxRules = 25,
    maxBufferedBytes = 2 ** 20,
    now = Date.now,
  }: ServerOptions = {},
): Express {
  const app = express()
  const accounts = new Map(tokens.map((token) => [token, createAccount()]))
  const recent: { at: number; quake: Quake }[] = []

  quakes.subscribe((quake) => {
    recent.push({ at: now(), quake })
    while (recent[0]!.at < now() - MAX_BACKFILL * MINUTE) recent.shift()
  })

  app.use((req, res, next) => {
    const account = accounts.get(bearerToken(req) ?? '')
    if (account) {
      Object.assign(res.locals, { account })
      next()
    } else {
      res.set('WWW-Authenticate', 'Bearer')
      sendProblem(res, 401, 'unauthorized', 'Send the header Authorization: Bearer <token>.')
    }
  })

  app.get('/stream/rules', (_req, res) => {
    const { rules, version } = accountOf(res)
    res.json({ data: [...rules.values()].map(publicRule), meta: { version } })
  })

  app.post('/stream/rules', express.json(), (req, res) => {
    const account = accountOf(res)
    const change = readChange(req.body)
    if (!change) {
      sendProblem(res, 400, 'invalid-request', 'Send { "add": [{ "value" }] } as JSON.')
      return
    }
    const { ruleSet, added, errors } = applyChange(account, change, maxRules)
    if (errors.length > 0) {
      sendProblem(res, 400, 'invalid-rules', 'Nothing has been changed.', { errors })
      return
    }
    const { version } = ruleSet
    const meta = { version, added: added.map(({ id }) => id), deleted: change.deleteIds }
    if (req.query['dry_run'] !== 'true') {
      Object.assign(account, ruleSet)
      // The old rules apply to every record before this acknowledgement, and the new rules after it.
      for (const send of account.streams) send(`${JSON.stringify({ rules: meta })}\n`)
    }
    res.json({ data: added.map(publicRule), meta })
  })

  app.get('/stream', (req, res) => {
    const account = accountOf(res)
    const { rules, streams } = account
    const minutes = String(req.query['backfill_minutes'] ?? '0')
    if (!/^[0-5]$/.test(minutes)) {
      sendProblem(res, 400, 'invalid-backfill', 'backfill_minutes must be an integer from 0 to 5.')
      return
    }
    // If the server closed the old stream instead, two clients would disconnect each other forever.
    if (streams.size >= maxConnections) {
      const detail = `This account may have ${maxConnections} streams open at a time.`
      sendProblem(res, 429, 'too-many-connections', detail)
      return
    }
    res.set({
      'Content-Type': 'application/x-ndjson',
      'Cache-Control': 'no-store, no-transform',
      'X-Accel-Buffering': 'no',
    })
    if (req.method === 'HEAD') {
      res.end()
      return
    }
    // Already disconnected: 'close' will not fire again, so nothing would free the slot.
    if (res.destroyed) return

    res.flushHeaders()
    const body = new PassThrough({ highWaterMark: maxBufferedBytes })
    const since = now() - Number(minutes) * MINUTE
    for (const { at, quake } of recent) if (at > since) body.write(recordOf(quake, rules))
    const unsubscribe = quakes.subscribe((quake) => {
      const record = recordOf(quake, account.rules)
      if (record) send(record)
    })
    const beat = (): void => {
      keepAlive = setTimeout(beat, keepAliveMs)
      if (body.readableLength === 0 && !res.writableNeedDrain) body.write('\n')
    }
    let keepAlive = setTimeout(beat, keepAliveMs)
    streams.add(send)
    // Ends when the client disconnects.
    pipeline(body, res, leave)

    function send(line: string): void {
      body.write(line)
      const owed = body.writableLength + body.readableLength + res.writableLength
      if (owed <= maxBufferedBytes) return
      leave()
      body.destroy()
      req.socket.destroy()
    }

    function leave(): void {
      clearTimeout(keepAlive)
      unsubscribe()
      streams.delete(send)
    }
  })

  app.use(((error: { status?: number; message: string }, _req, res, next) => {
    // express.json() throws an error with a status if the body is not JSON.
    if (error.status) sendProblem(res, error.status, 'invalid-request', error.message)
    else next(error)
  }) satisfies ErrorRequestHandler)

  return app
}

type SavedRule = Rule & { id: string; tag?: string | undefined }

/** Everything that a change replaces at once. `lastId` only grows, because a client may remember the ID of a deleted rule. */
type RuleSet = { rules: ReadonlyMap<string, SavedRule>; version: number; lastId: number }

type Account = RuleSet & { streams: Set<(line: string) => void> }

type RuleProblem = { id?: string; value?: string; column?: number; detail: string }

const MAX_BACKFILL = 5
const MINUTE = 60_000

function createAccount(): Account {
  return { rules: new Map(), version: 0, lastId: 0, streams: new Set() }
}

function accountOf(res: Response): Account {
  return res.locals['account'] as Account
}

/** Returns the line for a quake, or an empty string if no rule matches. */
function recordOf(quake: Quake, rules: RuleSet['rules']): string {
  const matching = [...rules.values()].filter((rule) => rule.matches(quake))
  if (matching.length === 0) return ''
  const matching_rules = matching.map(({ id, tag }) => ({ id, tag }))
  return `${JSON.stringify({ data: quake, matching_rules })}\n`
}

/** Returns the rule set after a change, and every error in the change. Does not modify the account. */
function applyChange(
  { rules: before, version, lastId }: Account,
  { add, deleteIds }: Change,
  maxRules: number,
): { ruleSet: RuleSet; added: SavedRule[]; errors: RuleProblem[] } {
  const rules = new Map(before)
  const errors: RuleProblem[] = []
  for (const id of deleteIds) {
    if (!rules.delete(id)) errors.push({ id, detail: 'there is no rule with this ID' })
  }
  const values = new Set([...rules.values()].map(({ value }) => value))
  const added: SavedRule[] = []
  for (const { value, tag } of add) {
    if (values.has(value)) errors.push({ value, detail: 'there is already a rule with this value' })
    values.add(value)
    try {
      const rule = { ...parseRule(value), id: String((lastId += 1)), tag }
      rules.set(rule.id, rule)
      added.push(rule)
    } catch (error) {
      if (!(error instanceof RuleError)) throw error
      errors.push({ value, column: error.column, detail: error.message })
    }
  }
  if (rules.size > maxRules) errors.push({ detail: `an account has at most ${maxRules} rules` })
  return { ruleSet: { rules, version: version + 1, lastId }, added, errors }
}

function publicRule({ id, value, tag }: SavedRule): Omit<SavedRule, 'matches'> {
  return { id, value, tag }
}
