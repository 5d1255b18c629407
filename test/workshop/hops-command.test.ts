import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Comparison } from '../../workshop/hops/comparison.ts'
import type { Report } from '../../workshop/hops/report.ts'
import { copyOfWorkshop, type Copy } from './copy.ts'
import { endPrograms, run, type Program } from './program.ts'

let copy: Copy
let server: Server
let url: string
beforeAll(async () => {
  copy = copyOfWorkshop()
  server = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    let n = 0
    // It has to be a timer, because the commands measure the time.
    const timer = setInterval(() => response.write(`id: ${(n += 1)}\ndata: ${n}\n\n`), 50)
    response.on('close', () => clearInterval(timer))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url = `127.0.0.1:${(server.address() as AddressInfo).port}/events`
})
afterEach(endPrograms)
afterAll(() => {
  server.closeAllConnections()
  server.close()
  copy.remove()
})

test('npm run wire DIRECT PUBLIC prints a chart and a verdict', async () => {
  const program = wire(url, url, '2s')
  await program.seen(/id 2 +direct +\|/)
  await program.seen(/Verdict: passes/)
  expect(await program.ended).toBe(0)
})

test('the word json prints nothing but JSON', async () => {
  const program = wire('json', url, url, '1s')
  expect(await program.ended).toBe(0)
  const comparison = JSON.parse(program.output) as Comparison
  expect(comparison).toMatchObject({ verdict: 'passes', unit: 'event', matchedBy: 'id' })
  expect(comparison.events[0]).toMatchObject({ id: '1', text: 'data: 1' })
})

test('npm run wire report URL prints what one address does', async () => {
  const program = wire('report', url, '1s', 'json')
  expect(await program.ended).toBe(0)
  expect((JSON.parse(program.output) as Report).secondClient.isOwnStream).toBe(true)
})

test('Ctrl-C shows the result so far', async () => {
  const program = wire('report', url, '60s', '1000', 'events')
  await program.seen(/Ctrl-C shows the result so far/)
  await waitForClients(3)
  program.kill('SIGINT')
  await program.seen(/answer +200 OK/)
  expect(await program.ended).toBe(0)
})

test('without a stream, the exit code is 1', async () => {
  const program = wire('report', '127.0.0.1:1')
  await program.seen(/This is no stream: nothing listens at 127\.0\.0\.1:1\./)
  expect(await program.ended).toBe(1)
})

function wire(...args: string[]): Program {
  return run(copy, ['wire', ...args])
}

/** Waits until so many further clients have connected. */
async function waitForClients(count: number): Promise<void> {
  for (let clients = 0; clients < count; clients += 1) await once(server, 'request')
}
