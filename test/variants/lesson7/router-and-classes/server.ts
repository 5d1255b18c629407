import { randomUUID } from 'node:crypto'
import express, {
  Router,
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express'
import type { Quake } from '#feed'
import { bearerToken, readChange, sendProblem, type Change } from './requests.ts'
import { parseRule, RuleError, type Rule } from './rule.ts'

// Random IDs, a map of rules that is changed in place, a router for each path, and one timer for all clients.

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

type Saved = { id: string; tag: string | undefined; rule: Rule }

class Account {
  readonly rules = new Map<string, Saved>()
  readonly streams = new Map<Response, number>()
  version = 0

  /** Returns what is wrong with a change. */
  errorsIn({ add, deleteIds }: Change, maxRules: number): object[] {
    const errors: object[] = []
    const deleted = new Set(deleteIds)
    for (const id of deleted) if (!this.rules.has(id)) errors.push({ id, detail: 'unknown' })
    const kept = [...this.rules.values()].filter(({ id }) => !deleted.has(id))
    for (const [n, { value }] of add.entries()) {
      const isTaken = kept.some(({ rule }) => rule.value === value)
      if (isTaken || add.findIndex((other) => other.value === value) < n) {
        errors.push({ value, detail: 'exists' })
      }
      try {
        parseRule(value)
      } catch (error) {
        errors.push({ value, column: (error as RuleError).column, detail: String(error) })
      }
    }
    if (kept.length + add.length > maxRules) errors.push({ detail: 'too many' })
    return errors
  }

  apply({ add, deleteIds }: Change): Saved[] {
    for (const id of deleteIds) this.rules.delete(id)
    const added = add.map(({ value, tag }) => ({ id: randomUUID(), tag, rule: parseRule(value) }))
    for (const saved of added) this.rules.set(saved.id, saved)
    this.version += 1
    return added
  }

  lineFor(quake: Quake): string | undefined {
    const matching_rules = [...this.rules.values()]
      .filter(({ rule }) => rule.matches(quake))
      .map(({ id, tag }) => (tag === undefined ? { id } : { id, tag }))
    return matching_rules.length > 0 ? JSON.stringify({ matching_rules, data: quake }) : undefined
  }
}

export function createApp(quakes: QuakeSource, options: ServerOptions = {}): Express {
  const { tokens = ['tremor'], keepAliveMs = 20_000, maxConnections = 1 } = options
  const { maxRules = 25, maxBufferedBytes = 2 ** 20, now = Date.now } = options
  const accounts: Record<string, Account> = Object.create(null)
  for (const token of tokens) accounts[token] = new Account()
  let past: [number, Quake][] = []
  let timer: NodeJS.Timeout | undefined

  function send(account: Account, line: string, to = [...account.streams.keys()]): void {
    for (const response of to) {
      response.write(`${line}\r\n`)
      account.streams.set(response, Date.now())
      if (response.writableLength > maxBufferedBytes) {
        account.streams.delete(response)
        response.destroy()
      }
    }
  }

  function keepAlive(): void {
    for (const { streams } of Object.values(accounts)) {
      for (const [response, sentAt] of streams) {
        const isIdle = Date.now() - sentAt >= keepAliveMs
        if (isIdle && !response.writableNeedDrain) response.write('\r\n')
      }
    }
  }

  quakes.subscribe((quake) => {
    past = [...past, [now(), quake] as [number, Quake]].filter(([at]) => at >= now() - 300_000)
    for (const account of Object.values(accounts)) {
      const line = account.lineFor(quake)
      if (line) send(account, line)
    }
  })

  const login: RequestHandler = (req, res, next) => {
    const account = accounts[bearerToken(req) ?? '']
    if (!account) return sendProblem(res, 401, 'unknown-token', 'Who are you?')
    res.locals['account'] = account
    next()
  }

  const rules = Router()
  rules.get('/', (_req, res: Response) => {
    const { version, rules: saved } = res.locals['account'] as Account
    res.json({ meta: { version }, data: [...saved.values()].map(shown) })
  })
  rules.post(
    '/',
    express.json({ strict: false, type: () => true }),
    (req: Request, res: Response) => {
      const account = res.locals['account'] as Account
      const change = readChange(req.body)
      if (!change) return sendProblem(res, 400, 'bad-change', 'This is not a change.')
      const errors = account.errorsIn(change, maxRules)
      if (errors.length > 0) return sendProblem(res, 400, 'bad-rules', 'Wrong.', { errors })
      const deleted = change.deleteIds
      if (req.query['dry_run'] === 'true') {
        const data = change.add.map((each) => ({ id: randomUUID(), ...each }))
        const meta = { version: account.version + 1, added: data.map(({ id }) => id), deleted }
        return void res.json({ data, meta })
      }
      const added = account.apply(change)
      const meta = { version: account.version, added: added.map(({ id }) => id), deleted }
      res.json({ data: added.map(shown), meta })
      send(account, JSON.stringify({ rules: meta }))
    },
  )

  const stream = Router()
  stream.head('/', (_req, res) => void res.type('application/x-ndjson').end())
  stream.get('/', (req, res) => {
    const account = res.locals['account'] as Account
    const asked = req.query['backfill_minutes'] ?? '0'
    if (!['0', '1', '2', '3', '4', '5'].includes(asked as string)) {
      return sendProblem(res, 400, 'bad-backfill', 'An integer from 0 to 5, please.')
    }
    if (account.streams.size >= maxConnections) {
      return sendProblem(res, 429, 'too-many-connections', 'Close a stream first.')
    }
    if (res.closed) return
    res.writeHead(200, {
      'content-type': 'application/x-ndjson; charset=utf-8',
      'cache-control': 'no-cache, no-store, no-transform',
      'x-accel-buffering': 'no',
    })
    res.flushHeaders()
    account.streams.set(res, Date.now())
    res.once('close', () => void account.streams.delete(res))
    const lines = past
      .filter(([at]) => at >= now() - Number(asked) * 60_000 && asked !== '0')
      .flatMap(([, quake]) => account.lineFor(quake) ?? [])
    if (lines.length > 0) send(account, lines.join('\n'), [res])
    timer ??= setInterval(keepAlive, Math.max(1, keepAliveMs / 4)).unref()
  })

  const notJson: ErrorRequestHandler = (error, _req, res, _next) =>
    sendProblem(res, error.status ?? 500, 'error', String(error))

  return express().use(login).use('/stream/rules', rules).use('/stream', stream).use(notJson)
}

function shown({ id, tag, rule }: Saved): object {
  return { id, value: rule.value, ...(tag !== undefined && { tag }) }
}
