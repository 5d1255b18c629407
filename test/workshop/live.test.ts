import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { lessonsFolder, solutionsFolder } from '../../workshop/lessons/catalogue.ts'
import { copyOfWorkshop, type Copy } from './copy.ts'
import { endPrograms, run, type Program } from './program.ts'
import { untilGone } from './until-gone.ts'

let copy: Copy
beforeAll(() => {
  copy = copyOfWorkshop()
  // Remove the checks, so that no lesson is graded, because grading takes time and is tested elsewhere.
  rmSync(copy.path('test'), { recursive: true })
})
afterEach(endPrograms)
afterAll(() => copy.remove())

const MINE = 'lessons/01-raw-chunks/server.ts'

test('a lesson serves real earthquakes at its URL, and shows the bytes on the wire', async () => {
  const program = live(['1', 'solutions'])
  const url = await urlOf(program)
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/quakes\.ndjson$/)
  const response = await open(url)
  const [line] = (await once(response, 'data')) as [Buffer]
  expect(JSON.parse(line.toString().split('\n')[0]!)).toMatchObject({
    magnitude: expect.any(Number),
  })
  await program.seen(/→ request .*GET \/quakes\.ndjson HTTP\/1\.1␍␊/)
  await program.seen(/← response .*HTTP\/1\.1 200 OK␍␊/)
  await program.seen(/← response .*\[[0-9a-f]+␍␊\]\{"id":.*␊\[␍␊\]/)
  response.destroy()
  await program.seen(/(closed|reset) by the client in the middle of the response/)
})

test('a stub is reported as not written yet, and a save runs the new code', async () => {
  const program = live(['1'])
  const url = await urlOf(program)
  await program.seen(/server\.ts is not written yet \(lesson 1, task 1\.1: write createApp\(\)\)/)
  const refused = await fetch(url)
  expect(refused.status).toBe(503)
  expect(await refused.text()).toContain('task 1.1: write createApp()')

  copy.write(MINE, serverThat(`console.log('it is', 'written')`))
  await program.seen(/server\.ts prints: it is written/)
  expect(await (await fetch(url)).text()).toBe('hello')
})

test('a server that cannot run is reported with the reason, and runs again after the next save', async () => {
  copy.write(MINE, 'export function createApp( {')
  const program = live(['1'])
  const url = await urlOf(program)
  await program.seen(/lessons\/01-raw-chunks\/server\.ts could not be loaded/)
  await program.seen(/lessons\/01-raw-chunks\/server\.ts:1:\d+: ERROR/)
  expect((await fetch(url)).status).toBe(503)

  copy.write(MINE, serverThat(`setTimeout(() => { throw new Error('late') })`))
  await program.seen(/server\.ts crashed.\n {2}Error: late/)
  rmSync(copy.path(MINE))
  await program.seen(/could not be loaded/)
  copy.write(MINE, 'export const app = 1')
  await program.seen(/server\.ts does not export createApp\(\)/)
  copy.write(MINE, serverThat(''))
  await program.seen(/server\.ts is running/)
  expect(await (await fetch(url)).text()).toBe('hello')
})

test('a client is cut when a save restarts the server', async () => {
  copy.write(MINE, serverThat('', `res.write('endless')`))
  const program = live(['1'])
  const response = await open(await urlOf(program))
  await once(response, 'data')
  const cut = once(response, 'error') as Promise<[NodeJS.ErrnoException]>
  copy.write(MINE, serverThat('// saved', `res.write('endless')`))
  expect((await cut)[0].code).toBe('ECONNRESET')
  await program.seen(/(closed|reset) by the server in the middle of the response/)
})

test.each([
  ['at rest', ''],
  ['in an endless loop', `console.log('looping'); for (;;) {}`],
])('Ctrl-C ends everything, including a server %s', async (_case, loop) => {
  copy.write(MINE, serverThat(`console.log('pid', process.pid); ${loop}`))
  const program = live(['1'])
  const [, pid] = await program.seen(/pid (\d+)/)
  if (loop) await program.seen(/looping/)
  program.kill('SIGINT')
  expect(await program.ended).toBe(130)
  await untilGone(Number(pid))
})

test('a server does not outlive a workshop that was killed, even if it is in an endless loop', async () => {
  copy.write(MINE, serverThat(`console.log('pid', process.pid); for (;;) {}`))
  const program = live(['1'])
  const [, pid] = await program.seen(/pid (\d+)/)
  program.kill('SIGKILL')
  await untilGone(Number(pid))
})

test("the learner's watch.ts reconnects to the learner's own server, and sends its last event ID", async () => {
  for (const name of ['encode.ts', 'server.ts', 'watch.ts']) {
    copy.write(`lessons/02-server-sent-events/${name}`, solutionOf(name))
  }
  const program = live(['2'])
  const url = await urlOf(program)
  const watching = run(copy, ['watch', url])
  await watching.seen(/^onQuake\(\) {2}\S.*\n/m)
  // The save restarts the server, and that cuts the connection.
  copy.write('lessons/02-server-sent-events/server.ts', `${solutionOf('server.ts')}// saved\n`)
  await program.seen(/closed|reset/)
  await program.seen(/→ request .*\(last ID \S+\)/)
  await watching.seen(/^onQuake\(\) {2}\S.*\n/m)

  copy.write('lessons/02-server-sent-events/server.ts', serverThat('', 'res.status(204).end()'))
  await watching.seen(/onOver\(\) {2}The EventSource has given up\./)
  expect(await watching.ended).toBe(0)
})

test('the exhibit of lesson 7 prints what it has measured', async () => {
  const exhibit = '07-filtered-stream/exhibit'
  cpSync(join(lessonsFolder, exhibit), copy.path(`lessons/${exhibit}`), { recursive: true })
  const program = live(['7', 'exhibit'])
  await program.seen(/make before break\W+21\W+0\W+19\b/)
  await program.seen(/reconnect\W+21\W+19\W+0\b/)
  expect(await program.ended).toBe(0)
})

test('the exhibit of lesson 10 prints what the SDKs report', async () => {
  const exhibit = '10-answers-over-post/exhibit'
  cpSync(join(lessonsFolder, exhibit), copy.path(`lessons/${exhibit}`), { recursive: true })
  const program = live(['10', 'exhibit'])
  await program.seen(/openai \d+\.\d+\.\d+, @anthropic-ai\/sdk \d+\.\d+\.\d+/)
  await program.seen(
    /connection cut\W+throws TypeError\W+throws OpenAIError\W+throws AnthropicError/,
  )
  expect(await program.ended).toBe(0)
})

test('the filtered stream of lesson 7 follows a rule that is added with curl', async () => {
  copy.write(
    'lessons/07-filtered-stream/server.ts',
    readFileSync(join(solutionsFolder, '07-filtered-stream/server.ts'), 'utf8'),
  )
  const program = live(['7'])
  const url = await urlOf(program)
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/stream$/)
  await program.seen(/curl -N -H 'Authorization: Bearer tremor' http/)
  // The client.ts of the lesson is still a stub, so that of the solution runs, and adds the first rule.
  await program.seen(/solutions\/07-filtered-stream\/client\.ts is connected/)
  // The terminal may collapse the lines of a busy moment.
  await program.seen(/"rules":\{"version":1,"added":\["1"\],"deleted":\[\]\}\}␊|… and \d+ more/)
  const added = await fetch(`${url}/rules`, {
    method: 'POST',
    headers: { Authorization: 'Bearer tremor', 'Content-Type': 'application/json' },
    body: '{"add":[{"value":"magnitude < 4","tag":"weak"}]}',
  })
  expect(added.status).toBe(200)
  await program.seen(/← response .*"tag":"weak"\}\]\}␊/)
})

test('npm run watch says that watch.ts is not written yet, or which address it needs', async () => {
  copy.write(
    'lessons/02-server-sent-events/watch.ts',
    `export function watchQuakes() { throw new Error('lesson 2, task 2.7: write watchQuakes()') }`,
  )
  const unwritten = run(copy, ['watch', 'http://127.0.0.1:3102/events'])
  await unwritten.seen(/Nothing to see yet: lesson 2, task 2\.7: write watchQuakes\(\)\./)
  expect(await unwritten.ended).toBe(1)
  const aimless = run(copy, ['watch'])
  await aimless.seen(/Which stream\? .*npm run watch http/)
  expect(await aimless.ended).toBe(2)
})

test('an endless loop while loading is left behind by the next save', async () => {
  copy.write(MINE, `console.log('looping'); for (;;) {}`)
  const program = live(['1'])
  const url = await urlOf(program)
  await program.seen(/looping/)
  const answer = fetch(url)
  copy.write(MINE, serverThat(''))
  // The request has waited for a server, and reaches the new one.
  expect(await (await answer).text()).toBe('hello')
})

test('work from elsewhere runs with the packages of the workshop', async () => {
  const elsewhere = copyOfWorkshop({ packages: false })
  try {
    const program = live(['1', elsewhere.path('solutions')])
    const response = await open(await urlOf(program))
    expect(response.statusCode).toBe(200)
    response.destroy()
    program.kill('SIGTERM')
    expect(await program.ended).toBe(143)
  } finally {
    elsewhere.remove()
  }
})

test('two lessons run at once, and the second uses the next free port', async () => {
  const first = live(['2', 'solutions'], { PORT: undefined })
  const { port } = new URL(await urlOf(first))
  const second = live(['2', 'solutions'], { PORT: undefined })
  expect(new URL(await urlOf(second)).port).not.toBe(port)
  // Another program on this machine may have had port 3102 when the first lesson started, and may have exited by now.
  if (port === '3102') {
    expect(second.output).toMatch(/Port 3102 is taken by another program, so this is port \d+/)
  }
})

test('a PORT that cannot be used ends the command with a message', async () => {
  const blocker = createServer().listen(0, '127.0.0.1')
  await once(blocker, 'listening')
  const { port } = blocker.address() as AddressInfo
  const program = live(['1'], { PORT: String(port) })
  expect(await program.ended).toBe(2)
  expect(program.output).toContain(`Port ${port} is taken by another program.`)
  blocker.close()

  const wrong = live(['1'], { PORT: 'abc' })
  expect(await wrong.ended).toBe(2)
  expect(wrong.output).toContain('PORT must be a port number from 0 to 65535, got "abc".')
})

test('an exhibit is shown with the things that it leaves running', async () => {
  copy.write('lessons/02-server-sent-events/exhibit/server.ts', LEAKY)
  await leavesIntervals(live(['2', 'exhibit']))
})

// Run this test only in CI, because a learner may have mended the exhibit.
test.runIf(process.env.CI)('the exhibit of lesson 2 leaks', async () => {
  const exhibit = '02-server-sent-events/exhibit/server.ts'
  const source = readFileSync(`${lessonsFolder}/${exhibit}`, 'utf8')
  copy.write(`lessons/${exhibit}`, source.replace('2000', '20'))
  await leavesIntervals(live(['2', 'exhibit']))
})

async function leavesIntervals(program: Program): Promise<void> {
  const url = await urlOf(program)
  for (let visits = 1; visits <= 2; visits += 1) {
    const response = await open(url)
    await once(response, 'data')
    response.destroy()
    const intervals = visits === 1 ? '1 interval' : `${visits} intervals`
    await program.seen(new RegExp(`still running: ${intervals} · 0 clients connected`))
  }
  await program.seen(/[1-9]\d* writes? to closed connections/)
}

function solutionOf(name: string): string {
  return readFileSync(join(solutionsFolder, '02-server-sent-events', name), 'utf8')
}

function live(args: string[], env: NodeJS.ProcessEnv = {}): Program {
  return run(copy, ['lesson', ...args], { PORT: '0', ...env })
}

async function urlOf(program: Program): Promise<string> {
  const [url] = await program.seen(/http:\/\/127\.0\.0\.1:\d+\/\S+/)
  return url
}

function open(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (response) => {
      // Other listeners still receive the error.
      response.on('error', () => {})
      resolve(response)
    })
    request.on('error', reject)
  })
}

/** Returns a server.ts. @param first code that runs when the file is loaded */
function serverThat(first: string, answer = `res.end('hello')`): string {
  return `
    import express from 'express'
    ${first}
    export function createApp() {
      return express().use((req, res) => void ${answer})
    }
  `
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
