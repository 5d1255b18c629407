import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { parseEventStream } from '../../solutions/02-server-sent-events/parse.ts'
import type { Entry } from '../../wire/entry.ts'
import type { ChannelMessage } from '../../protocol/channel.ts'
import type { Action, Answer, PageState } from '../../protocol/page.ts'
import { checksOf } from '../../workshop/lessons/checks.ts'
import { secretOf, shareBuiltPage } from './built-page.ts'
import { copyOfWorkshop, type Copy } from './copy.ts'
import { endPrograms, run, type Program } from './program.ts'

// Tests the page's channel without a browser: the state that the page receives, and the effects of its requests.

let copy: Copy
let graded: Copy
beforeAll(() => {
  copy = copyOfWorkshop()
  // Remove the checks, so that no lesson is graded, because grading takes time.
  rmSync(copy.path('test'), { recursive: true })
  graded = copyOfWorkshop({ harness: true })
  shareBuiltPage(copy)
  shareBuiltPage(graded)
})
afterEach(endPrograms)
afterAll(() => {
  copy.remove()
  graded.remove()
})

test('a client is shown with its quakes, and disconnects on request', async () => {
  const page = await opened(['1', 'solutions'])
  await page.until(({ server }) => server.state === 'running')
  expect(await page.act({ do: 'burst' })).toEqual({
    problem: 'No client has the feed open. Connect a client first.',
  })
  expect(await page.act({ do: 'connect' })).toEqual({ said: 'Connecting client 1.' })
  const { clients } = await page.until((state) => (state.clients[0]?.quakes ?? 0) > 0)
  expect(clients[0]).toMatchObject({ id: 1, state: 'reading' })
  expect(clients[0]!.last[0]).toMatchObject({ magnitude: expect.any(Number) })
  await page.act({ do: 'burst' })
  await page.until((state) => (state.clients[0]?.quakes ?? 0) > 10_000)

  expect(await page.act({ do: 'leave', id: 1 })).toEqual({ said: 'Client 1 has disconnected.' })
  await page.until((state) => state.clients[0]?.state === 'left' && state.server.readers === 0)
  expect(await page.act({ do: 'leave', id: 1 })).toEqual({
    problem: 'Client 1 has already disconnected.',
  })
  await page.entry((entry) => entry.kind === 'closed' && entry.by === 'client' && !entry.isFailure)
  expect(page.entries.filter(({ kind }) => kind === 'note')).toMatchObject([
    { text: 'Burst: 10,000 quakes happen at once' },
  ])
})

test('faults are noted on the wire, and affect the client', async () => {
  const page = await opened(['2', 'solutions'])
  await page.until(({ server }) => server.state === 'running')
  await page.act({ do: 'stall', on: true })
  await page.act({ do: 'connect' })
  await page.entry((entry) => entry.kind === 'arrived' && isResponseAt(entry, 'server'))
  await page.until(({ faults }) => faults.isStalled)
  expect(page.entries.some((entry) => isResponseAt(entry, 'client'))).toBe(false)
  await page.act({ do: 'stall', on: false })
  await page.entry((entry) => isResponseAt(entry, 'client'))

  await page.act({ do: 'cut after', bytes: 500 })
  const { clients } = await page.until((state) => state.clients[0]?.state === 'cut')
  expect(clients[0]!.what).toBe('The connection was lost.')
  await page.entry((entry) => entry.kind === 'closed' && entry.by === 'workshop' && entry.isFailure)
  await page.act({ do: 'cut after', bytes: null })
  expect(await page.act({ do: 'cut' })).toEqual({ said: 'There is no open connection to cut.' })
  await page.act({ do: 'slow', bytesPerSecond: 100 })
  await page.until(({ faults }) => faults.slow === 100 && faults.cutAfter === undefined)
  await page.act({ do: 'clear' })
  const { recording } = await page.until((state) => state.recording.from > 1)
  expect(recording.from).toBeGreaterThan(page.entries.find(({ kind }) => kind === 'note')!.n)
})

test('a problem of the server is shown until a save mends it', async () => {
  const page = await opened(['1'])
  const { server } = await page.until((state) => state.server.state === 'not written')
  expect(server.what).toBe('lesson 1, task 1.1: write createApp()')
  copy.write(MINE, `console.log('looping'); for (;;) {}`)
  await page.until((state) => state.server.printed.includes('looping'))
  copy.write(MINE, `export function createApp( {`)
  const down = await page.until((state) => state.server.state === 'down')
  expect(down.server.what).toBe('lessons/01-raw-chunks/server.ts could not be loaded.')
  await page.act({ do: 'connect' })
  const { clients } = await page.until((state) => state.clients[0]?.state === 'refused')
  expect(clients[0]!.what).toMatch(/^The server answered 503\. lessons.*could not be loaded/)

  copy.write(MINE, SOLUTION())
  await page.until((state) => state.server.state === 'running')
  expect(await page.act({ do: 'reset' })).toMatchObject({
    said: expect.stringMatching(
      /^These files are stubs again: server\.ts\. Your work is saved in .*\.workshop/,
    ),
  })
  await page.program.seen(/These files are stubs again: server\.ts\. Your work is saved in /)
  await page.until((state) => state.server.state === 'not written')
})

test('results arrive one by one, and each save starts a new grading', async () => {
  const page = await opened(['1'], { from: graded })
  const first = await page.until(({ grading }) => grading?.outcome === 'fail' && !grading.isRunning)
  expect(first.grading!.checks[0]).toMatchObject({
    id: '1.1a',
    state: 'failed',
    notWritten: 'lesson 1, task 1.1: write createApp()',
  })
  graded.write(MINE, 'export function createApp( {')
  const broken = await page.until((state) => state.grading?.outcome === 'error')
  expect(broken.grading!.problem!.what).toContain('could not be loaded')
  for (const name of ['server.ts', 'client.ts']) {
    graded.write(`lessons/01-raw-chunks/${name}`, SOLUTION(name))
  }
  await page.until(({ grading }) => {
    const states = grading?.checks.map(({ isOld, state }) => isOld || state) ?? []
    return states.includes(true) && states.includes('passed')
  })
  const { grading } = await page.until((state) => state.grading?.outcome === 'pass')
  expect(grading!.checks.every(({ state, isOld }) => state === 'passed' && !isOld)).toBe(true)
})

test.each(['5', '6'])(
  'in lesson %s a client reconnects, and a kill of the server loses no quake',
  async (lesson) => {
    const page = await opened([lesson, 'solutions'])
    const reads = (more: number): Promise<PageState> => {
      const from = page.state.learnerClient?.quakes ?? 0
      return page.until(({ learnerClient }) => (learnerClient?.quakes ?? 0) >= from + more)
    }
    await reads(1)
    await page.act({ do: 'cut' })
    await page.entry((entry) => entry.kind === 'arrived' && entry.cursor !== undefined)
    await reads(1)
    expect(await page.act({ do: 'kill' })).toMatchObject({ said: expect.any(String) })
    await page.until(({ server, learnerClient }) => {
      return server.state === 'down' && learnerClient?.state === 'waiting'
    })
    await page.until(({ server }) => server.state === 'running')
    const { learnerClient } = await reads(3)
    expect(learnerClient).toMatchObject({ missed: 0, twice: 0, gaps: 0 })
  },
)

test('in lesson 8 each network is a source, and slow readers fall behind without delaying the client', async () => {
  const page = await opened(['8', 'solutions'])
  await page.until(({ server, load }) => server.readers === 12 && (load?.samples.length ?? 0) > 0)
  expect(await page.act({ do: 'add slow readers' })).toEqual({ said: 'Added 100 slow readers.' })
  const { learnerClient } = await page.until(({ load, learnerClient: client }) => {
    const { fastest, slowest } = load!.samples.at(-1)!
    return load!.slowReaders === 100 && slowest > 3 && fastest === 0 && client!.quakes > 3
  })
  expect(learnerClient).toMatchObject({ missed: 0, twice: 0, gaps: 0 })
  expect(await page.act({ do: 'remove slow readers' })).toEqual({
    said: 'Removed 100 slow readers.',
  })
  await page.until(({ load }) => load!.slowReaders === 0)

  // The numbers of the events start over together with the server.
  await page.act({ do: 'kill' })
  await page.until(({ server }) => server.state === 'down')
  await page.until((state) => state.learnerClient!.quakes === 0)
  await page.until((state) => state.learnerClient!.quakes > 3)
})

test("a client meets the learner's own server of lesson 5 if its core checks have passed", async () => {
  for (const name of ['server.ts', 'history.ts']) {
    const solution = readFileSync(graded.path('solutions/05-replay', name), 'utf8')
    graded.write(`lessons/05-replay/${name}`, solution)
  }
  const checks = checksOf(5).map(({ id, isEdgeCase }) => [id, isEdgeCase ? 'failed' : 'passed'])
  const progress = { gradedAt: new Date(0), outcome: 'pass', checks: Object.fromEntries(checks) }
  graded.write('.workshop/progress.json', JSON.stringify({ 5: progress }))
  const page = await opened(['6'], { from: graded })
  const { server } = await page.until((state) => state.server.state === 'running')
  expect(server.file).toBe('lessons/05-replay/server.ts')
})

test('the client of an exhibit is run, and what it prints is shown', async () => {
  copy.write('lessons/06-resume/exhibit/server.ts', LEAKY)
  copy.write(
    'lessons/06-resume/exhibit/client.ts',
    `export function connect(url: string) { console.log('connects to', new URL(url).pathname) }`,
  )
  const page = await opened(['6', 'exhibit'])
  await page.program.seen(/client\.ts prints: connects to \/sse/)
})

test('the page can switch to another lesson without a restart', async () => {
  const page = await opened(['1', 'solutions'])
  const { lesson } = await page.until((state) => state.server.state === 'running')
  expect(lesson).toMatchObject({ number: 1, next: { number: 2 } })
  expect(lesson).not.toHaveProperty('previous')
  await page.act({ do: 'connect' })
  await page.until((state) => state.clients[0]?.state === 'reading')

  expect(await page.act({ do: 'lesson', number: 2 })).toMatchObject({
    said: expect.stringMatching(/^Lesson 2: /),
  })
  // Simultaneous changes may arrive in any order, and in two messages.
  const { lesson: second } = await page.until(
    (state) =>
      state.server.url.endsWith('/events') &&
      state.lesson?.number === 2 &&
      state.clients.length === 0,
  )
  expect(second).toMatchObject({
    folder: 'solutions/02-server-sent-events',
    previous: { number: 1 },
  })
  await page.until((state) => state.server.state === 'running')
  await page.act({ do: 'connect' })
  await page.until((state) => (state.clients[0]?.quakes ?? 0) > 0)
  expect(await page.act({ do: 'lesson', number: 42 })).toEqual({
    problem: 'There is no lesson 42.',
  })
  await page.program.seen(/Lesson 2: /)
})

test("a file is opened in the learner's editor", async () => {
  // Rename the finished file, so that the test does not see an incomplete one.
  const [draft, done] = [copy.path('opening.txt'), copy.path('opened.txt')]
  copy.write('my editor.sh', `#!/bin/sh\necho "$@" > "${draft}"\nmv "${draft}" "${done}"\n`)
  chmodSync(copy.path('my editor.sh'), 0o755)
  const page = await opened(['1'], {
    env: { LAUNCH_EDITOR: `"${copy.path('my editor.sh')}"` },
  })
  expect(await page.act({ do: 'open', file: 'server.ts', line: 1 })).toMatchObject({
    said: expect.stringMatching(/^Opened /),
  })
  await page.program.seen(/not written yet/)
  await vi.waitUntil(() => existsSync(done), { timeout: 120_000 })
  expect(readFileSync(done, 'utf8')).toContain(copy.path(MINE))
})

test('a terminal editor is not started, because it would compete for the keyboard', async () => {
  const page = await opened(['1'], { env: { LAUNCH_EDITOR: 'vim' } })
  expect(await page.act({ do: 'open', file: 'server.ts', line: 1 })).toEqual({
    problem:
      'Your editor (vim) needs its own terminal. Open lessons/01-raw-chunks/server.ts there.',
  })
})

test('a page that cannot be served is reported, and the lesson continues in the terminal', async () => {
  const program = run(copy, ['lesson', '1', 'solutions'], { PORT: '0', PAGE_PORT: 'here' })
  await program.seen(/The page is not available: PAGE_PORT must be a port number .*, got "here"\./)
  await program.seen(/server\.ts is running/)
  expect(program.output).not.toMatch(/the lesson page/)
})

test('an exhibit is not graded, and the things that it leaves running are counted', async () => {
  copy.write('lessons/02-server-sent-events/exhibit/server.ts', LEAKY)
  const page = await opened(['2', 'exhibit'])
  await page.until(({ server }) => server.state === 'running')
  expect(await page.act({ do: 'grade' })).toEqual({ problem: 'There is nothing to grade here.' })
  await page.act({ do: 'connect' })
  await page.entry((entry) => isResponseAt(entry, 'client'))
  await page.act({ do: 'leave', id: 1 })
  const { server, lesson } = await page.until(
    ({ server: { leaks } }) => (leaks?.lostWrites ?? 0) > 0,
  )
  expect(server.leaks).toMatchObject({ intervals: 1, clients: 0 })
  expect(lesson).toMatchObject({ isExhibit: true, files: ['server.ts'] })
})

const MINE = 'lessons/01-raw-chunks/server.ts'

function SOLUTION(name = 'server.ts'): string {
  return readFileSync(copy.path('solutions/01-raw-chunks', name), 'utf8')
}

const LEAKY = `
  import express from 'express'
  export function createApp() {
    return express().get('/sse', (req, res) => {
      res.setHeader('Content-Type', 'text/event-stream')
      setInterval(() => res.write('data: 1\\n\\n'), 20)
    })
  }
`

function isResponseAt(entry: Entry, hop: string): boolean {
  return entry.kind === 'arrived' && entry.direction === 'response' && entry.hop === hop
}

type Page = {
  program: Program
  /** The state that the page has received so far. */
  readonly state: Partial<PageState>
  entries: Entry[]
  act(action: Action): Promise<Answer>
  /** Waits until the page has received a state for which `isSo()` returns true. */
  until(isSo: (state: PageState) => boolean): Promise<PageState>
  entry(isIt: (entry: Entry) => boolean): Promise<Entry>
}

/** Runs a lesson and listens to the channel of its page. */
async function opened(
  args: string[],
  { from = copy, env = {} }: { from?: Copy; env?: NodeJS.ProcessEnv } = {},
): Promise<Page> {
  const program = run(from, ['lesson', ...args], { PORT: '0', BROWSER: 'none', ...env })
  const [, url] = await program.seen(/(http:\/\/127\.0\.0\.1:\d+)\/ {2}the lesson page/)
  const secret = await secretOf(url!)
  const channel = await fetch(`${url}/channel`)
  const state: Record<string, unknown> = {}
  const entries: Entry[] = []
  let wake = (): void => {}
  void listen().catch(() => {})

  async function listen(): Promise<void> {
    for await (const { data } of parseEventStream(channel.body!)) {
      const message = JSON.parse(data) as ChannelMessage
      if (message.type === 'state') state[message.slice] = message.value ?? undefined
      if (message.type === 'wire') entries.push(...message.entries)
      wake()
    }
  }
  async function changed(): Promise<void> {
    await new Promise<void>((resolve) => {
      wake = resolve
    })
  }

  return {
    program,
    state,
    entries,
    async act(action) {
      const answer = await fetch(`${url}/do`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-secret': secret },
        body: JSON.stringify(action),
      })
      return (await answer.json()) as Answer
    },
    async until(isSo) {
      while (!('recording' in state) || !isSo(state as PageState)) await changed()
      return structuredClone(state) as PageState
    },
    async entry(isIt) {
      for (;;) {
        const found = entries.find(isIt)
        if (found) return found
        await changed()
      }
    },
  }
}
