import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import express from 'express'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { BoardMessage, Learner, Report } from '../../protocol/room.ts'
import { parseEventStream } from '../../solutions/02-server-sent-events/parse.ts'
import type { Clock } from '../../solutions/06-resume/client.ts'
import { checksOf } from '../../workshop/lessons/checks.ts'
import { progressAfter, progressIn } from '../../workshop/session/progress-report.ts'
import { takeShareTarget } from '../../workshop/session/share-args.ts'
import { sharing, type Sharing } from '../../workshop/session/sharing.ts'
import { board } from '../../workshop/slides/board.ts'
import { followersApp } from '../../workshop/slides/followers.ts'
import { leader } from '../../workshop/slides/position.ts'
import { reportIn } from '../../workshop/session/room-report.ts'
import { summaryOf } from '../../workshop/slides/room-summary.ts'
import { room as makeRoom, type Room } from '../../workshop/slides/room.ts'
import { sceneSession } from '../../workshop/slides/scene-session.ts'
import type { CheckResult, Verdict } from '../../protocol/verdict.ts'

const CODE = 'KMXTRA'
const MINUTE = 60_000

let time: TestClock
let room: Room
/** The server of learners, and the one of the instructor's board. */
let learnersSide: Served
let boardsSide: Served
/** Whether the board refuses every learner. */
let isFull: boolean
let senders: Sharing[]

beforeEach(async () => {
  time = testClock()
  room = makeRoom({ now: time.clock.now })
  isFull = false
  senders = []
  learnersSide = await serve(appOf(eachFromItsOwnMachine(room)))
  boardsSide = await serve(express().get('/room', board(room)))
})
afterEach(async () => {
  await Promise.all(senders.map((sender) => sender.end()))
  for (const { server } of [learnersSide, boardsSide]) {
    server.close()
    server.closeAllConnections()
  }
})

test('thirty learners whose connections often drop are all on the board, where they are', async () => {
  const random = seeded(1)
  const seen = watchBoard()
  const tasks = ['1.1', '1.2', '1.3', '1.4']
  const learners = Array.from({ length: 30 }, (_, n) => share(`learner ${n}`))
  const at = learners.map(() => 0)
  let drops = 0
  for (let round = 0; round < 20; round += 1) {
    for (const [n, learner] of learners.entries()) {
      if (random() < 0.3) at[n] = Math.min(tasks.length - 1, at[n]! + 1)
      learner.report({ lesson: 1, task: tasks[at[n]!]!, passed: at[n]! })
    }
    // Cut learners while they send, and the board while it receives.
    for (let turns = Math.floor(random() * 4); turns > 0; turns -= 1) await turn()
    const cut = [...learnersSide.sockets].filter(() => random() < 0.3)
    for (const socket of [...cut, ...boardsSide.sockets]) socket.destroy()
    drops += cut.length
    await seen.until(
      (shown) =>
        shown.length === 30 &&
        learners.every((_, n) => taskOn(shown, `learner ${n}`) === tasks[at[n]!]),
    )
    time.pass(MINUTE / 4)
  }
  expect(drops).toBeGreaterThan(100)
  expect(seen.connections()).toBeGreaterThan(10)
  expect(learners.map(({ state }) => state.state)).not.toContain('ended')
  seen.leave()
})

test('the board says where the room is, who is stuck, and which check stops most, with its message', async () => {
  const seen = watchBoard()
  const check = {
    check: '1.3a',
    message: 'The feed released 40 quakes. Expected the server to wait.',
  }
  const early = Array.from({ length: 6 }, (_, n) => share(`stuck ${n}`))
  for (const learner of early) learner.report({ lesson: 1, task: '1.3', passed: 4, ...check })
  await until(() => early.every(isShown))
  time.pass(6 * MINUTE)
  // The early learners report again by themselves. The others have just reached their tasks.
  for (const [count, task] of [
    [8, '1.2'],
    [2, '1.3'],
    [9, '1.4'],
    [5, undefined],
  ] as const) {
    for (let n = 0; n < count; n += 1) {
      share(`${task} ${n}`).report({ lesson: 1, ...(task && { task }), passed: 3 })
    }
  }
  const shown = await seen.until((all) => all.length === 30 && all.every(isHeardNow))
  expect(summaryOf(shown, time.clock.now())).toMatchObject({
    sentence: '22 of 30 past 1.2, 6 stuck at 1.3 for more than five minutes',
    tasks: [
      { task: '1.2', here: 8, stuck: 0, past: 22 },
      { task: '1.3', here: 8, stuck: 6, past: 14 },
      { task: '1.4', here: 9, stuck: 0, past: 5 },
      { task: 'lesson 1 passed', here: 5, stuck: 0, past: 0 },
    ],
    stops: { check: '1.3a', rule: ruleOf('1.3a'), count: 6, message: check.message, same: 6 },
  })
  seen.leave()
})

test('the board that reconnects gets the newest state, and nothing if it has that already', async () => {
  room.accept(report({ n: 1 }), 'one')
  const first = await openBoard()
  const { id } = await first.next()
  first.leave()
  const second = await openBoard(id)
  room.accept(report({ n: 2, passed: 3 }), 'one')
  room.accept(report({ n: 3, passed: 4 }), 'one')
  // The first message is a newer state.
  expect((await second.next()).learners[0]?.passed).toBeGreaterThan(2)
  second.leave()
})

test('a learner who was offline has been at the task for as long as they say', async () => {
  learnersSide.server.close()
  learnersSide.server.closeAllConnections()
  const ada = share('Ada')
  ada.report({ lesson: 1, task: '1.3', passed: 4 })
  await until(() => ada.state.state === 'lost')
  expect(ada.state.what).toMatch(/ECONNREFUSED/)
  time.pass(7 * MINUTE)
  learnersSide = await serve(appOf(room), learnersSide.port)
  await until(() => isShown(ada))
  const [learner] = learnersOf(room)
  expect(time.clock.now() - learner!.since).toBeGreaterThanOrEqual(7 * MINUTE)
})

test('a restarted board shows a learner again within a minute', async () => {
  const ada = share('Ada')
  ada.report({ lesson: 1, task: '1.1', passed: 0 })
  await until(() => isShown(ada))
  room = makeRoom({ now: time.clock.now })
  learnersSide.server.close()
  learnersSide.server.closeAllConnections()
  learnersSide = await serve(appOf(room), learnersSide.port)
  time.pass(MINUTE)
  await until(() => learnersOf(room).length === 1)
})

test('a wrong code ends sharing with a message, and nothing is retried', async () => {
  const states: string[] = []
  const wrong = sharing({
    target: { address: `127.0.0.1:${learnersSide.port}`, code: 'ABCDEF', name: 'Ada' },
    clock: time.clock,
    changed: () => states.push(wrong.state.state),
  })
  wrong.report({ lesson: 1, task: '1.1', passed: 0 })
  await until(() => wrong.state.state === 'ended')
  expect(states).toEqual(['ended'])
  expect(wrong.state.what).toContain('refused the code ABCDEF')
  expect(learnersOf(room)).toEqual([])
})

test('a learner who ends sharing disappears from the board, and sends nothing more', async () => {
  const ada = share('Ada')
  ada.report({ lesson: 1, task: '1.1', passed: 0 })
  await until(() => isShown(ada))
  await ada.end()
  expect(learnersOf(room)).toEqual([])
  const { version } = room
  ada.report({ lesson: 1, task: '1.2', passed: 1 })
  time.pass(10 * MINUTE)
  await turn()
  expect(room.version).toBe(version)
})

test('sharing ends with the day, and a silent learner is forgotten after an hour', async () => {
  const ada = share('Ada')
  ada.report({ lesson: 1, task: '1.1', passed: 0 })
  await until(() => isShown(ada))
  time.pass(24 * 60 * MINUTE)
  await until(() => ada.state.state === 'ended')
  expect(ada.state.what).toBe('The day is over.')
  expect(learnersOf(room)).toEqual([])
})

test('a full board is tried again later', async () => {
  isFull = true
  const ada = share('Ada')
  ada.report({ lesson: 1, task: '1.1', passed: 0 })
  await until(() => ada.state.state === 'lost')
  isFull = false
  await until(() => isShown(ada))
})

test('one machine fills at most five places, of which a restarted learner gets a silent one', () => {
  for (let n = 0; n < 1000; n += 1) room.accept(report({ id: idOf(n) }), 'hostile')
  expect(learnersOf(room)).toHaveLength(5)
  expect(room.accept(report({ id: idOf(1000) }), 'hostile')).toMatch(/no place left/)
  expect(room.accept(report({ id: idOf(1001) }), 'Ada')).toBeUndefined()
  time.pass(3 * MINUTE)
  expect(room.accept(report({ id: idOf(1002) }), 'hostile')).toBeUndefined()
  expect(learnersOf(room)).toHaveLength(6)
})

test('from however many machines, the board takes a hundred learners', () => {
  for (let n = 0; n < 5000; n += 1) room.accept(report({ id: idOf(n) }), `machine ${n}`)
  expect(learnersOf(room)).toHaveLength(100)
})

test('a delayed report does not replace a newer one, and only the learner can replace their own', () => {
  room.accept(report({ n: 2, passed: 5 }), 'one')
  room.accept(report({ n: 1, passed: 4 }), 'one')
  room.accept(report({ id: idOf(2), n: 9, passed: 0 }), 'other')
  expect(learnersOf(room).map(({ passed }) => passed)).toEqual([5, 0])
  expect(JSON.stringify(room.message())).not.toContain(idOf(1))
})

test.each([
  ['markup stays text', '<img src=x onerror=alert(1)>', '<img src=x onerror=aler…'],
  ['a huge name', 'A'.repeat(5000), `${'A'.repeat(23)}…`],
  ['control characters', 'A\u001b[2Jda', 'A␛[2Jda'],
  ['reversed text', 'A\u202eda', 'A‹U+202E›da'],
  ['several lines', ' A\r\n\tda ', 'A da'],
  ['piles of accents', `A${'\u0301\u0302\u0303'.repeat(200)}`, 'Á\u0302\u0303'],
  ['half a character', 'A\ud800', 'A\ufffd'],
])('in a name, %s', (_, said, shown) => {
  expect(reportIn({ ...report({}), name: said })?.name).toBe(shown)
})

test.each([
  { name: '' },
  { name: '\u200b\u200b' },
  { name: ['Ada'] },
  { id: 'short' },
  { n: -1 },
  { n: Number.MAX_VALUE },
  { lesson: '1' },
  { passed: 0.5 },
  { forMs: null },
  { task: 1 },
  { check: {} },
  { message: [] },
])('a report with %j is refused', async (wrong) => {
  expect(await statusOf(JSON.stringify({ ...report({}), ...wrong }))).toBe(400)
})

test.each([
  ['an unknown lesson', JSON.stringify(report({ lesson: 77 }))],
  ['a huge lesson', JSON.stringify(report({ lesson: 1e15 }))],
  ['an unknown task', JSON.stringify(report({ task: '1.<b>' }))],
  ['a check of another lesson', JSON.stringify(report({ check: '2.1a' }))],
  ['no JSON', '{"id":'],
  ['no object', 'null'],
  ['a list', '[]'],
])('a report with %s is refused, and changes nothing', async (_, body) => {
  expect(await statusOf(body)).toBe(400)
  expect(room.version).toBe(0)
})

test('a huge report is refused', async () => {
  expect(await statusOf(JSON.stringify({ ...report({}), message: 'A'.repeat(100_000) }))).toBe(413)
})

test('learners cannot see the board, and strangers cannot report', async () => {
  expect((await fetch(`${learnersSide.url}/${CODE}/room`)).status).toBe(404)
  expect((await fetch(`${learnersSide.url}/${CODE}/progress`)).status).toBe(404)
  expect(await statusOf(JSON.stringify(report({})), 'ABCDEF')).toBe(403)
  const { status } = await post(JSON.stringify(report({})), CODE, { origin: 'http://evil.example' })
  expect(status).toBe(403)
  expect(room.version).toBe(0)
})

test('without a shared deck, nobody can report', async () => {
  const alone = await serve(
    followersApp({ leader: leader(), session: sceneSession(() => []).audience }),
  )
  const answer = await fetch(`${alone.url}/progress`, { method: 'POST', body: '{}' })
  expect(answer.status).toBe(405)
  alone.server.close()
  alone.server.closeAllConnections()
})

test('a report has the first task with an open core check, and the first failure that is not a stub', () => {
  const checks = checksOf(1).map(({ id, rule, isEdgeCase }): CheckResult => {
    const story = { seen: 'Nothing arrived.', expected: 'Expected a quake.' }
    if (/^1\.1/.test(id)) return { id, rule, isEdgeCase, state: 'passed', steps: [] }
    if (/^1\.2/.test(id)) return { id, rule, isEdgeCase, state: 'failed', story, steps: [] }
    return { id, rule, isEdgeCase, state: 'failed', notWritten: `write ${id}`, steps: [] }
  })
  const passed = checks.filter(({ id, isEdgeCase }) => /^1\.1/.test(id) && !isEdgeCase).length
  const progress = progressIn(1, checks)
  expect(progress).toMatchObject({ lesson: 1, task: '1.2', passed })
  expect(progress.check).toMatch(/^1\.2/)
  expect(progress.message).toBe('Nothing arrived. Expected a quake.')

  const broken: Verdict = {
    ...{ lesson: 1, outcome: 'error', typeErrors: [], seed: 1, printed: '' },
    problem: { what: 'server.ts could not be loaded.', detail: 'secret detail' },
    checks: checks.map((check) => ({ ...check, state: 'not run' })),
  }
  expect(progressAfter(broken, progress)).toEqual({
    ...{ lesson: 1, task: '1.2', passed, message: 'server.ts could not be loaded.' },
  })
  const done = checks.map((check): CheckResult => ({ ...check, state: 'passed' }))
  expect(progressIn(1, done)).toEqual({ lesson: 1, passed: coreOf(1) })
})

test.each([
  [['1', 'with', '10.0.0.8:3302', 'kmxtra', 'as', 'Ada', 'L.'], '10.0.0.8:3302', 'Ada L.'],
  [['1', 'with', 'http://10.0.0.8:3302/KMXTRA/', 'KMXTRA'], '10.0.0.8:3302', undefined],
])('%j names a board', (args, address, name) => {
  expect(takeShareTarget(args)).toEqual({
    address,
    code: CODE,
    name: name ?? expect.stringMatching(/^[a-z]+ [a-z]+$/),
  })
  expect(args).toEqual(['1'])
})

test.each([
  [['1', 'with'], '"" is not the address of a board.'],
  [['1', 'with', 'KMXTRA'], '"KMXTRA" is not the address of a board.'],
  [['1', 'with', '10.0.0.8:3302'], '"" is not a code'],
  [['1', 'with', '10.0.0.8:3302', 'KMX'], '"KMX" is not a code'],
  [['1', 'with', '10.0.0.8:3302', 'KMXTRA', 'Ada'], 'Unknown argument "Ada"'],
  [['1', 'with', '10.0.0.8:3302', 'KMXTRA', 'as', '!'], 'A nickname needs'],
])('%j is refused with a message', (args, says) => {
  expect(takeShareTarget(args)).toEqual({ problem: expect.stringContaining(says) })
})

test('without "with", nothing is shared', () => {
  expect(takeShareTarget(['1', 'solutions'])).toBeUndefined()
})

/** Starts a scripted learner. */
function share(name: string): Sharing {
  const sender = sharing({
    target: { address: `127.0.0.1:${learnersSide.port}`, code: CODE, name },
    clock: time.clock,
    // Retry at once after a drop, so that no test has to pass time.
    random: () => 0,
    changed() {},
  })
  senders.push(sender)
  return sender
}

function report(fields: Partial<Report>): Report {
  return {
    ...{ id: idOf(1), n: 1, name: 'Ada', lesson: 1, task: '1.1', passed: 0, forMs: 0 },
    ...fields,
  }
}

function idOf(n: number): string {
  return n.toString(16).padStart(32, '0')
}

function coreOf(lesson: number): number {
  return checksOf(lesson).filter(({ isEdgeCase }) => !isEdgeCase).length
}

function ruleOf(check: string): string {
  return checksOf(1).find(({ id }) => id === check)!.rule
}

function learnersOf({ message }: Room): Learner[] {
  const now = message()
  return now.type === 'room' ? now.learners : []
}

function taskOn(shown: Learner[], name: string): string | undefined {
  return shown.find((learner) => learner.name === name)?.task
}

function isShown({ state }: Sharing): boolean {
  return state.state === 'shown'
}

function isHeardNow({ heardAt }: Learner): boolean {
  return heardAt === time.clock.now()
}

/** Wraps a room so that each learner seems to report from another machine. */
function eachFromItsOwnMachine(inner: Room): Room {
  return {
    ...inner,
    accept: (said) => (isFull ? 'The board has no place left.' : inner.accept(said, said.id)),
  }
}

function appOf(inner: Room): express.Express {
  return followersApp({
    ...{ leader: leader(), session: sceneSession(() => []).audience },
    ...{ room: inner, code: CODE, wrongCodeMs: 0 },
  })
}

async function post(body: string, code = CODE, headers: object = {}): Promise<Response> {
  return fetch(`${learnersSide.url}/${code}/progress`, {
    ...{ method: 'POST', body },
    headers: { 'content-type': 'application/json', ...headers },
  })
}

async function statusOf(body: string, code?: string): Promise<number> {
  return (await post(body, code)).status
}

type Served = { server: Server; sockets: Set<Socket>; port: number; url: string }

async function serve(app: express.Express, wanted = 0): Promise<Served> {
  const server = createServer(app)
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(wanted, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { server, sockets, port, url: `http://127.0.0.1:${port}` }
}

type Shown = { learners: Learner[]; id: string }

async function openBoard(lastEventId = ''): Promise<{ next(): Promise<Shown>; leave(): void }> {
  const asked = get(`${boardsSide.url}/room`, {
    agent: false,
    headers: lastEventId ? { 'last-event-id': lastEventId } : {},
  })
  asked.on('error', () => {})
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  const events = parseEventStream(Readable.toWeb(response) as ReadableStream<Uint8Array>)
  return {
    async next() {
      for (;;) {
        const event = (await events.next()).value!
        const message = JSON.parse(event.data) as BoardMessage
        if (message.type === 'room') return { learners: message.learners, id: event.lastEventId }
      }
    },
    leave: () => void asked.destroy(),
  }
}

/** Follows the board as a browser does, but reconnects immediately after a drop. */
function watchBoard(): {
  until(isRight: (shown: Learner[]) => boolean): Promise<Learner[]>
  connections(): number
  leave(): void
} {
  let shown: Learner[] = []
  let id = ''
  let connections = 0
  let isOver = false
  let close = (): void => {}
  void (async () => {
    while (!isOver) {
      try {
        const { next, leave } = await openBoard(id)
        close = leave
        connections += 1
        for (;;) ({ learners: shown, id } = await next())
      } catch {
        await turn()
      }
    }
  })()
  return {
    async until(isRight) {
      await until(() => isRight(shown))
      return shown
    },
    connections: () => connections,
    leave() {
      isOver = true
      close()
    },
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await turn()
}

type TestClock = { clock: Clock; pass(ms: number): void }

/** Returns a clock that stands still until the test lets time pass. */
function testClock(): TestClock {
  let now = Date.parse('2030-05-06T09:00')
  const sleepers = new Set<{ at: number; wake(): void }>()
  return {
    clock: {
      now: () => now,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          const sleeper = { at: now + ms, wake }
          function wake(): void {
            sleepers.delete(sleeper)
            signal.removeEventListener('abort', wake)
            resolve()
          }
          sleepers.add(sleeper)
          signal.addEventListener('abort', wake)
          if (signal.aborted || ms <= 0) wake()
        }),
    },
    pass(ms) {
      now += ms
      for (const { at, wake } of sleepers) if (at <= now) wake()
    },
  }
}

/** Returns a reproducible `Math.random()`. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}
