import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'
import { setImmediate as turn } from 'node:timers/promises'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseEventStream } from '../../solutions/02-server-sent-events/parse.ts'
import { addresses } from '../../workshop/slides/addresses.ts'
import { followersApp } from '../../workshop/slides/followers.ts'
import { codeOfDay, newCode } from '../../workshop/slides/join-code.ts'
import {
  leader,
  stageIn,
  type Leader,
  type SlidePosition,
  type Stage,
} from '../../workshop/slides/position.ts'
import { sceneSession } from '../../workshop/slides/scene-session.ts'
import type { StageMessage } from '../../workshop/slides/send-position.ts'
import { secretOf } from './built-page.ts'
import { slidesServer } from '../../workshop/slides/server.ts'

let instructor: Leader
let server: Server
let url: string
let sockets: Set<Socket>

beforeEach(async () => {
  instructor = leader()
  await serve()
})
afterEach(() => stop())

async function serve(options: { code?: string; wrongCodeMs?: number } = {}): Promise<void> {
  server = createServer(
    followersApp({ leader: instructor, session: sceneSession(() => []).audience, ...options }),
  )
  sockets = new Set()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function stop(): Promise<void> {
  server.close()
  server.closeAllConnections()
}

test('thirty followers whose connections are often cut are on the right slide after each of fifty moves', async () => {
  const random = seeded(1)
  const all = Array.from({ length: 30 }, () => follower(url))
  let cuts = 0
  for (let move = 1; move <= 50; move += 1) {
    const position = { h: Math.floor(random() * 6), v: move, f: -1 }
    instructor.show(at(position))
    // Cut some connections while the position is being sent, some before, and a few repeatedly.
    for (const socket of sockets) {
      if (random() > 0.15) continue
      socket.destroy()
      cuts += 1
    }
    await Promise.all(all.map(({ isAt }) => isAt(position)))
  }
  expect(cuts).toBeGreaterThan(100)
  const resumed = all.reduce((sum, { connections }) => sum + connections(), 0)
  expect(resumed).toBeGreaterThanOrEqual(cuts)
  for (const { leave } of all) leave()
})

test('a follower that reconnects gets only the newest position, and nothing if it has that already', async () => {
  instructor.show(at({ h: 1, v: 0, f: -1 }))
  const first = await listen(url)
  const { position, lastEventId } = await first.next()
  expect(position).toEqual({ h: 1, v: 0, f: -1 })
  first.leave()
  for (const v of [1, 2, 3]) instructor.show(at({ h: 1, v, f: -1 }))
  const second = await listen(url, lastEventId)
  const newest = await second.next()
  expect(newest.position).toEqual({ h: 1, v: 3, f: -1 })
  second.leave()

  const third = await listen(url, newest.lastEventId)
  instructor.show(at({ h: 2, v: 0, f: -1 }))
  // The first event is a new position.
  expect((await third.next()).position).toEqual({ h: 2, v: 0, f: -1 })
  third.leave()
})

test('for a stalled follower at most one position is queued', async () => {
  const { port } = server.address() as AddressInfo
  const asked = request({ port, path: '/position' }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  response.pause()
  const [socket] = [...sockets]
  for (let v = 0; socket!.writableLength === 0 && v < 10_000; v += 1) {
    for (let f = 0; f < 1000; f += 1) instructor.show(at({ h: 1, v, f }))
    await turn()
  }
  const waiting = socket!.writableLength
  expect(waiting).toBeGreaterThan(0)
  for (let v = 0; v < 10_000; v += 1) instructor.show(at({ h: 2, v, f: -1 }))
  expect(socket!.writableLength).toBeLessThan(waiting + 200)
  asked.destroy()
})

test('followers receive no notes, and cannot run or change anything', async () => {
  const { chapters, role } = JSON.parse((await ask('/deck.json')).body)
  expect(role).toEqual({ role: 'follower' })
  expect(
    chapters
      .flatMap(({ slides }: { slides: { notes: string }[] }) => slides.map(({ notes }) => notes))
      .join(''),
  ).toBe('')
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    for (const path of ['/position', '/do', '/deck.json']) {
      expect((await ask(path, { method })).status).toBe(405)
    }
  }
  for (const path of ['/wire/1', '/do', '/recordings/../00-welcome.md']) {
    expect((await ask(path)).status).toBe(404)
  }
})

test('the server answers only requests for its own address', async () => {
  const { port } = server.address() as AddressInfo
  expect((await ask('/deck.json', { host: `localhost:${port}` })).status).toBe(200)
  expect((await ask('/deck.json', { host: `slides.example:${port}` })).status).toBe(421)
  expect((await ask('/deck.json', { origin: 'http://slides.example' })).status).toBe(403)
})

test('with a code, the deck is open to followers who know it, and others are asked for it', async () => {
  await stop()
  await serve({ code: 'KMXTRA', wrongCodeMs: 0 })
  expect((await ask('/KMXTRA/deck.json')).status).toBe(200)
  expect((await ask('/kmxtra/deck.json')).status).toBe(200)
  expect((await ask('/KMXTRA/gone.ndjson')).status).toBe(404)
  expect(await ask('/KMXTRA')).toMatchObject({ status: 303, location: '/KMXTRA/' })
  expect(await ask('/?code=kmxtra')).toMatchObject({ status: 303, location: '/KMXTRA/' })
  expect((await ask('/')).body).toContain('name="code"')
  for (const path of [
    '/deck.json',
    '/position',
    '/ABCDEF/',
    '/KMXTR/deck.json',
    '/KMXTRAA/deck.json',
  ]) {
    expect((await ask(path)).status).toBe(403)
  }
  const mine = follower(`${url}/KMXTRA`)
  instructor.show(at({ h: 3, v: 1, f: 0 }))
  await mine.isAt({ h: 3, v: 1, f: 0 })
  mine.leave()
})

test('guesses in parallel learn nothing, because even the right code is refused after a wrong one', async () => {
  await stop()
  // The delay is longer than this test takes.
  await serve({ code: 'KMXTRA', wrongCodeMs: 3_600_000 })
  const { headers } = await ask('/KMXTRA/deck.json')
  const [pass = ''] = String(headers['set-cookie']).split(';')

  const first = ask('/ABCDEF/').catch(() => undefined)
  const others = ['BCDEFG', 'KMXTRA', 'CDEFGH', 'KMXTRA'].map((code) => ask(`/${code}/deck.json`))
  const answers = await Promise.all(others)
  expect(answers.map(({ status }) => status)).toEqual([429, 429, 429, 429])
  expect(new Set(answers.map(({ body }) => body)).size).toBe(1)
  expect(answers.flatMap(({ headers: got }) => got['set-cookie'] ?? [])).toEqual([])

  // A follower who has joined stays connected, even if a guesser has the same address.
  expect((await ask('/KMXTRA/deck.json', { cookie: pass })).status).toBe(200)
  expect((await ask('/KMXTRA/deck.json', { cookie: 'pass=' })).status).toBe(429)
  server.closeAllConnections()
  await first
})

test('after a wrong code and the wait, the right code is accepted', async () => {
  await stop()
  await serve({ code: 'KMXTRA', wrongCodeMs: 1 })
  expect((await ask('/ABCDEF/')).status).toBe(403)
  expect((await ask('/KMXTRA/deck.json')).status).toBe(200)
})

test('a person who enters a wrong code is told so, and can enter another', async () => {
  await stop()
  await serve({ code: 'KMXTRA', wrongCodeMs: 1 })
  const { status, body } = await ask('/ABCDEF/', { accept: 'text/html,*/*' })
  expect(status).toBe(403)
  expect(body).toContain('This is not the code.')
  expect(body).toContain('<form action="/">')
})

test('followers learn that a program runs, that the screen is blank, and what is left of the countdown', async () => {
  const { next, leave } = await listen(url)
  const shown: Stage = {
    position: { h: 1, v: 2, f: -1 },
    isBlank: true,
    runs: 'lines',
    countdown: { h: 1, v: 5, leftMs: 60_000, endsAt: Date.now() + 60_000 },
  }
  instructor.show(shown)
  expect(await next()).toMatchObject(shown)
  leave()
})

test('a follower keeps its slide while a restarted deck has not been opened again', async () => {
  instructor.show(at({ h: 1, v: 2, f: -1 }))
  const before = await listen(url)
  const { lastEventId } = await before.next()
  before.leave()
  await stop()
  instructor = leader()
  await serve()
  const after = await listen(url, lastEventId)
  instructor.show(at({ h: 1, v: 3, f: -1 }))
  // The first stage is that of the instructor, and not the beginning of the deck.
  expect((await after.next()).position).toEqual({ h: 1, v: 3, f: -1 })
  after.leave()
})

test('a code has six letters, none of which can be confused', () => {
  const codes = Array.from({ length: 1000 }, newCode)
  for (const code of codes) expect(code).toMatch(/^[A-HJ-NPR-Z]{6}$/)
  expect(new Set(codes).size).toBeGreaterThan(990)
  expect(codes.join('')).not.toMatch(/[ILOQ]/)
})

test('a code lasts for a day, so that a restarted deck has the same one', () => {
  const morning = codeOfDay({}, new Date('2030-05-06T08:00'))
  expect(codeOfDay(morning, new Date('2030-05-06T18:00'))).toEqual(morning)
  expect(codeOfDay(morning, new Date('2030-05-07T08:00')).code).not.toBe(morning.code)
  expect(codeOfDay({ ...morning, code: '' }, new Date('2030-05-06T18:00')).code).not.toBe('')
})

test('only the instructor can move the followers, and only to a valid position', async () => {
  const slides = await slidesServer({ ports: [0] })
  try {
    const deck = JSON.parse((await ask('/deck.json', {}, slides.url)).body)
    const headers = {
      'content-type': 'application/json',
      'x-secret': await secretOf(slides.url),
    }
    const post = (body: unknown, more: object = {}): Promise<{ status: number }> =>
      ask(
        '/position',
        { method: 'POST', ...headers, body: JSON.stringify(body), ...more },
        slides.url,
      )
    expect((await post(at({ h: 2, v: 1, f: -1 }))).status).toBe(204)
    expect(slides.leader.stage.position).toEqual({ h: 2, v: 1, f: -1 })
    expect((await post(at({ h: 9, v: 9, f: 9 }), { 'x-secret': 'guessed' })).status).toBe(403)
    expect((await post(at({ h: 9, v: 9, f: 9 }), { origin: 'http://slides.example' })).status).toBe(
      403,
    )
    expect((await post({ h: 9, v: 9, f: 9 })).status).toBe(400)
    expect(slides.leader.stage.position).toEqual({ h: 2, v: 1, f: -1 })
    // Only the deck may show the server that runs programs in a frame.
    const { headers: demo } = await ask(
      '/channel',
      { only: 'head' },
      `http://127.0.0.1:${deck.role.demoPort}`,
    )
    expect(demo['content-security-policy']).toContain(`frame-ancestors ${slides.url}`)
  } finally {
    await slides.close()
  }
})

test('the server listens on the network only if the deck is shared', async () => {
  const alone = await slidesServer({ ports: [0] })
  const shared = await slidesServer({ ports: [0], code: 'KMXTRA' })
  try {
    expect(alone.followersUrls).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/)])
    // On a machine without a network, this loop is empty.
    for (const theirs of shared.followersUrls) {
      const { hostname } = new URL(theirs)
      const onNetwork = (own: string): string => `http://${hostname}:${new URL(own).port}`
      expect((await ask('/KMXTRA/deck.json', {}, theirs)).status).toBe(200)
      for (const own of [shared.url, alone.url, alone.followersUrls[0]!]) {
        await expect(ask('/deck.json', {}, onNetwork(own))).rejects.toThrow('ECONNREFUSED')
      }
    }
  } finally {
    await Promise.all([alone.close(), shared.close()])
  }
})

test.each([
  [at({ h: 0, v: 0, f: -1 }), true],
  [{ ...at({ h: 3, v: 10, f: 2 }), isBlank: true, runs: 'how-to-read' }, true],
  [{ ...at({ h: 3, v: 10, f: 2 }), countdown: { h: 3, v: 9, leftMs: 60_000 } }, true],
  [{ ...at({ h: 3, v: 10, f: 2 }), countdown: { h: 3, v: 9, leftMs: 0, endsAt: 1.8e12 } }, true],
  [at({ h: -1, v: 0, f: -1 }), false],
  [at({ h: 0.5, v: 0, f: -1 }), false],
  [{ position: { h: 0, v: 0 }, isBlank: false }, false],
  [at({ h: 0, v: 0, f: 1e9 }), false],
  [{ position: { h: 0, v: 0, f: -1 } }, false],
  [{ ...at({ h: 0, v: 0, f: -1 }), runs: '../deck' }, false],
  [{ ...at({ h: 0, v: 0, f: -1 }), countdown: { h: 3, v: 9, leftMs: -1 } }, false],
  [null, false],
  ['', false],
])('%j is a stage: %s', (body, isStage) => {
  expect(stageIn(body)).toEqual(isStage ? body : undefined)
})

test('the address of the room comes before those of virtual networks', () => {
  const one = (address: string): NetworkInterfaceInfo[] => [
    {
      address,
      family: 'IPv4',
      internal: false,
      netmask: '255.255.255.0',
      mac: '02:00:00:00:00:00',
      cidr: `${address}/24`,
    },
  ]
  expect(
    addresses({
      lo: [{ ...one('127.0.0.1')[0]!, internal: true }],
      docker0: one('172.17.0.1'),
      'vEthernet (WSL)': one('172.28.0.1'),
      tailscale0: one('100.64.0.7'),
      'Ethernet 2': one('169.254.11.9'),
      enp3s0: one('10.0.0.8'),
      wlp2s0: one('192.168.7.20'),
    }),
  ).toEqual(['192.168.7.20', '10.0.0.8', '169.254.11.9', '172.17.0.1', '172.28.0.1', '100.64.0.7'])
})

type Followed = Stage & { lastEventId: string }

/** Returns a stage that shows only a slide. */
function at(position: SlidePosition): Stage {
  return { position, isBlank: false }
}

/** A connection to the stream of positions. */
async function listen(
  base: string,
  lastEventId?: string,
): Promise<{ next(): Promise<Followed>; leave(): void }> {
  const visit = new AbortController()
  const response = await fetch(`${base}/position`, {
    signal: visit.signal,
    headers: { ...(lastEventId && { 'last-event-id': lastEventId }) },
  })
  const events = parseEventStream(response.body!)
  return {
    async next() {
      for (;;) {
        const event = (await events.next()).value!
        const message = JSON.parse(event.data) as StageMessage
        if (message.type === 'stage') return { ...message.stage, lastEventId: event.lastEventId }
      }
    },
    leave: () => visit.abort(),
  }
}

/** Follows as a browser does, but reconnects immediately after a cut. */
function follower(base: string): {
  isAt(position: SlidePosition): Promise<void>
  connections(): number
  leave(): void
} {
  let position = ''
  let lastEventId = ''
  let connections = 0
  let isOver = false
  let wake = (): void => {}
  void (async () => {
    while (!isOver) {
      try {
        const { next } = await listen(base, lastEventId)
        connections += 1
        for (;;) {
          const event = await next()
          position = JSON.stringify(event.position)
          lastEventId = event.lastEventId
          wake()
        }
      } catch {
        await turn()
      }
    }
  })()
  return {
    async isAt(wanted) {
      while (position !== JSON.stringify(wanted))
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    },
    connections: () => connections,
    leave() {
      isOver = true
    },
  }
}

type Answer = { status: number; location?: string; headers: Record<string, unknown>; body: string }

async function ask(
  path: string,
  { method = 'GET', body, only, ...headers }: Record<string, string> = {},
  base = url,
): Promise<Answer> {
  const { hostname, port } = new URL(base)
  const asked = request({ hostname, port, path, method, headers, agent: false })
  asked.end(body)
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  const { statusCode: status = 0, headers: got } = response
  const said = only === 'head' ? '' : await text(response)
  asked.destroy()
  return { status, ...(got.location && { location: got.location }), headers: got, body: said }
}

/** Returns a seeded random number generator (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
