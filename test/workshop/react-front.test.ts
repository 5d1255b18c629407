import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { createServer, get, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { reactFront, type ReactFront } from '../../workshop/runtime/react-front.ts'
import { solutionsFolder } from '../../workshop/lessons/catalogue.ts'
import { checksOf } from '../../workshop/lessons/checks.ts'
import { copyOfWorkshop, type Copy } from './copy.ts'
import { endPrograms, run } from './program.ts'

let copy: Copy
let closing: (() => Promise<unknown>)[] = []
beforeAll(() => {
  copy = copyOfWorkshop()
  // Remove the lesson's checks, so that it is not graded, which saves time.
  rmSync(copy.path('test/lesson3.test.ts'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  endPrograms()
  await Promise.all(closing.map((close) => close()))
  closing = []
})
afterAll(() => copy.remove())

test('the front passes the stream on unchanged: the head at once, then each piece, then the end', async () => {
  const front = await frontOf(async (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-own': 'yes' })
    response.flushHeaders()
    await headSeen.promise
    response.write('data: 1\n\n')
    await pieceSeen.promise
    response.end()
  })
  const headSeen = pending()
  const pieceSeen = pending()
  const response = await ask(front, '/events?min=4')
  expect(response.statusCode).toBe(200)
  expect(response.headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-own': 'yes' })
  expect(response.headers).not.toHaveProperty('x-powered-by')
  headSeen.settle()
  const [piece] = (await once(response, 'data')) as [Buffer]
  expect(piece.toString()).toBe('data: 1\n\n')
  pieceSeen.settle()
  await once(response, 'end')
  expect(response.complete).toBe(true)
  expect(front.asked).toEqual(['GET /events?min=4'])
})

test('the front also passes on an answer that is not a stream', async () => {
  const front = await frontOf((_request, response) => {
    response.writeHead(503, { 'content-type': 'text/plain' }).end('Not now.\n')
  })
  const response = await ask(front, '/events')
  expect(response.statusCode).toBe(503)
  expect((await response.toArray()).join('')).toBe('Not now.\n')
})

test('a cut by the server reaches the client as a cut', async () => {
  const front = await frontOf((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
    cut = () => response.destroy()
  })
  let cut = (): void => {}
  const response = await ask(front, '/events')
  await once(response, 'data')
  const failed = once(response, 'error')
  cut()
  expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' })
  expect(response.complete).toBe(false)
})

test.each([
  ['/__open-in-editor?file=package.json', { 'Sec-Fetch-Site': 'cross-site' }],
  ['/__open-in-editor?file=package.json', { 'Sec-Fetch-Site': 'same-site' }],
  ['/__open-in-editor?file=package.json', {}],
  ['/solutions/03-react/useQuakes.ts', { 'Sec-Fetch-Site': 'same-site' }],
  ['/solutions/03-react/useQuakes.ts', { Origin: 'http://127.0.0.1:3101' }],
  ['/where?at=x:1:1', { Origin: 'http://localhost:3101' }],
  ['/events', { 'Sec-Fetch-Site': 'cross-site' }],
])('the front refuses %s to others: %j', async (path, headers) => {
  const front = await frontOf((_request, response) => response.end())
  const response = await ask(front, path, headers as Record<string, string>)
  expect(response.statusCode).toBe(403)
  expect(response.headers).not.toHaveProperty('access-control-allow-origin')
  expect(front.asked).toEqual([])
})

test('the front gives its own page the sources, but no other origin the right to read them', async () => {
  const front = await frontOf((_request, response) => response.end())
  const own = await ask(front, '/solutions/03-react/useQuakes.ts', {
    'Sec-Fetch-Site': 'same-origin',
  })
  expect(own.statusCode).toBe(200)
  const shown = await ask(front, '/', {
    'Sec-Fetch-Site': 'same-site',
    Origin: 'http://127.0.0.1:3101',
  })
  expect(shown.statusCode).toBe(200)
  expect(shown.headers).not.toHaveProperty('access-control-allow-origin')
})

test('if the server is down, the client sees a cut before the head', async () => {
  const front = await frontOf((_request, response) => response.destroy())
  await expect(ask(front, '/events')).rejects.toMatchObject({ code: 'ECONNRESET' })
})

test.each(['before the head', 'in the middle'])(
  'the server notices if a client disconnects %s',
  async (moment) => {
    const came = pending()
    const left = pending()
    const front = await frontOf((_request, response) => {
      response.once('close', left.settle)
      if (moment === 'in the middle') response.writeHead(200).write('data: 1\n\n')
      came.settle()
    })
    const request = get(`http://127.0.0.1:${front.port}/events`, { agent: false })
    request.on('error', () => {})
    if (moment === 'in the middle') {
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      response.on('error', () => {})
      await once(response, 'data')
    }
    await came.promise
    request.destroy()
    await left.promise
  },
)

test.each(['/events', '/', '/workshop/runtime/react/main.tsx', '/package.json'])(
  '%s refuses requests for another host name',
  async (path) => {
    const front = await frontOf((_request, response) => response.end('secret'))
    for (const host of ['evil.example', `evil.example:${front.port}`, `127.0.0.1.evil.example`]) {
      const response = await ask(front, path, { host })
      expect(response.statusCode, host).toBe(421)
      expect((await response.toArray()).join(''), host).toMatch(/answers to no other name/)
    }
    expect(front.asked).toEqual([])
  },
)

test('the page has the current component, and other origins cannot frame it', async () => {
  const front = await frontOf(() => {})
  const response = await ask(front, '/')
  expect(response.headers['content-security-policy']).toBe(
    'frame-ancestors http://127.0.0.1:* http://localhost:*',
  )
  const html = (await response.toArray()).join('')
  const [, work] = /data-work="([^"]+)"/.exec(html)!
  expect(html).toContain('data-url="/events"')
  const code = await ask(front, work!)
  expect(code.headers['content-type']).toMatch(/javascript/)
  expect((await code.toArray()).join('')).toContain('useQuakes')
})

test('the front does not change the environment, and leaves nothing behind', async () => {
  vi.stubEnv('NODE_ENV', undefined)
  const before = listeners()
  const front = await frontOf((_request, response) => void response.writeHead(200).write('1'))
  await front.isReady
  expect(process.env.NODE_ENV).toBeUndefined()
  const response = await ask(front, '/events')
  response.on('error', () => {})
  const closed = new Promise((resolve) => response.once('close', resolve))
  await front.close()
  await closed
  await expect(ask(front, '/events')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await front.stopApi()
  // Closed resources are freed a moment later.
  while (listeners() > before) await new Promise((resolve) => setImmediate(resolve))
})

test('the component of work outside the workshop is updated after each save', async () => {
  const elsewhere = copyOfWorkshop({ packages: false })
  closing.push(async () => elsewhere.remove())
  const program = run(copy, ['lesson', '3', elsewhere.path('solutions')], ENV)
  const [, url] = await program.seen(/(http:\S+)\/ {2}the component in /)
  const shown = async (): Promise<string> => {
    const html = await (await fetch(`${url}/`)).text()
    const [, work] = /data-work="([^"]+)"/.exec(html)!
    return (await fetch(url + work!)).text()
  }
  expect(await shown()).toContain('role: "status"')
  const file = 'solutions/03-react/LiveQuakes.tsx'
  const written = readFileSync(elsewhere.path(file), 'utf8')
  elsewhere.write(file, written.replace('role="status"', 'role="log"'))
  await program.seen(/Saved at/)
  expect(await shown()).toContain('role: "log"')
  program.kill('SIGTERM')
  expect(await program.ended).toBe(143)
  await expect(fetch(url!)).rejects.toThrow()
})

test("the component uses the learner's own server of lesson 2 if that has passed", async () => {
  passesLesson2()
  const server = 'lessons/02-server-sent-events/server.ts'
  for (const name of ['server.ts', 'encode.ts']) {
    const path = `02-server-sent-events/${name}`
    copy.write(`lessons/${path}`, readFileSync(join(solutionsFolder, path), 'utf8'))
  }
  const program = run(copy, ['lesson', '3'], ENV)
  const [, url] = await program.seen(/(http:\S+)\/ {2}your component/)
  await program.seen(
    /its stream of real earthquakes, from lessons\/02-server-sent-events\/server\.ts/,
  )
  const first = await fetch(`${url}/events`)
  expect(first.headers.get('content-type')).toMatch(/^text\/event-stream/)

  const good = readFileSync(copy.path(server), 'utf8')
  copy.write(server, `${good}\nsetTimeout(() => { throw new Error('late') })`)
  await program.seen(/lessons\/02-server-sent-events\/server\.ts crashed\.\n {2}Error: late/)
  expect((await fetch(`${url}/events`)).status).toBe(503)
  copy.write(server, good)
  await program.seen(/lessons\/02-server-sent-events\/server\.ts is running/)
  expect((await fetch(`${url}/events`)).status).toBe(200)
})

const ENV = { PORT: '0', PAGE_PORT: '0', BROWSER: 'none' }

function passesLesson2(): void {
  const checks = Object.fromEntries(checksOf(2).map(({ id }) => [id, 'passed']))
  copy.write(
    '.workshop/progress.json',
    JSON.stringify({ 2: { gradedAt: new Date(0), outcome: 'pass', checks } }),
  )
}

type Fronted = ReactFront & { asked: string[]; stopApi(): Promise<unknown> }

/** Starts a front with the solution's component, and a server with the given answer. */
async function frontOf(answer: RequestListener): Promise<Fronted> {
  const asked: string[] = []
  const api = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    answer(request, response)
  })
  await once(api.listen(0, '127.0.0.1'), 'listening')
  const front = await reactFront({
    ports: [0],
    component: async () => join(solutionsFolder, '03-react/LiveQuakes.tsx'),
    api: (api.address() as AddressInfo).port,
    path: '/events',
  })
  const stopApi = async (): Promise<void> => {
    if (!api.listening) return
    const closed = once(api, 'close')
    api.close()
    api.closeAllConnections()
    await closed
  }
  closing.push(front.close, stopApi)
  return { ...front, asked, stopApi }
}

/** Sends a request on a new connection and returns its response. */
async function ask(
  { port }: { port: number },
  path: string,
  headers: Record<string, string> = {},
): Promise<IncomingMessage> {
  const request = get({ host: '127.0.0.1', port, path, headers, agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return response
}

function listeners(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length
}

function pending(): { promise: Promise<void>; settle(): void } {
  let settle = (): void => {}
  const promise = new Promise<void>((resolve) => {
    settle = resolve
  })
  return { promise, settle: () => settle() }
}
