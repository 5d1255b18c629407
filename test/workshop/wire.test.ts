import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { ROOT } from '../../workshop/root.ts'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { copyOfWorkshop, type Copy } from './copy.ts'
import { endPrograms, run, type Program } from './program.ts'

let copy: Copy
beforeAll(() => {
  copy = copyOfWorkshop()
})
afterEach(endPrograms)
afterAll(() => copy.remove())

test('npm run wire prints the traffic between clients and any server', async () => {
  const server = createServer((request, response) => response.end(`you want ${request.url}`))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  // Leave out http://, because people type the address that way.
  const program = wire(`127.0.0.1:${port}/any?thing`)
  const [, url] = await program.seen(/(http:\/\/127\.0\.0\.1:\d+\/any\?thing) {2}your server/)
  expect(await (await fetch(url!)).text()).toBe('you want /any?thing')
  await program.seen(/← response .*you want \/any\?thing/)
  server.closeAllConnections()
  server.close()
  program.kill('SIGINT')
  expect(await program.ended).toBe(130)
})

test('an unreachable server is reported at once, and its clients are reset', async () => {
  const program = wire('http://127.0.0.1:1/')
  const [, url] = await program.seen(/(http:\/\/127\.0\.0\.1:\d+\/) {2}your server/)
  await program.seen(
    /Nothing listens at 127\.0\.0\.1:1\. Until that changes, every connection is reset/,
  )
  await expect(fetch(url!)).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } })
  await program.seen(/reset, because nothing listens at 127\.0\.0\.1:1/)
})

test('a name that does not resolve is reported', async () => {
  await wire('http://tremor.invalid/').seen(/The name tremor\.invalid does not resolve\./)
})

test('a wire does not watch itself', async () => {
  const { port } = await closedServer()
  const first = wire(`http://127.0.0.1:${port}/`)
  const [, url] = await first.seen(/(http:\/\/127\.0\.0\.1:\d+)\/ {2}your server/)
  // The second wire takes the port that the first one watches.
  const second = run(copy, ['wire', url!], { PORT: String(port), BROWSER: 'none' })
  expect(await second.ended).toBe(2)
  expect(second.output).toContain(`${url} leads back to the wire itself`)
})

test('npm run wire replay serves a saved recording', async () => {
  const program = wire('replay', join(ROOT, 'slides/recordings/ends-after-ten.ndjson'), 'fast')
  const [, url] = await program.seen(/(http:\/\/127\.0\.0\.1:\d+\/\S+) {2}200, /)
  expect(await (await fetch(url!)).text()).toContain('data: ')
  await program.seen(/GET \/\S+/)
  program.kill('SIGINT')
  expect(await program.ended).toBe(130)
})

test('npm run wire replay needs a file', async () => {
  const program = wire('replay')
  expect(await program.ended).toBe(2)
  expect(program.output).toContain('Which file? For example: npm run wire replay wire.ndjson')
})

test.each([
  ['nothing', [], 'Which server? For example: npm run wire http://127.0.0.1:8080'],
  ['an unknown word', ['http://a', 'hots'], '"hots" is not a word that npm run wire knows'],
  ['an invalid URL', ['http://'], '"http://" is not a valid URL'],
  [
    'another scheme',
    ['ftp://example.org'],
    'The URL must begin with http:// or https://, got "ftp://example.org".',
  ],
])('%s is refused with an explanation', async (_case, args, says) => {
  const program = wire(...args)
  expect(await program.ended).toBe(2)
  expect(program.output).toContain(says)
})

async function closedServer(): Promise<{ port: number }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return { port }
}

function wire(...args: string[]): Program {
  return run(copy, ['wire', ...args], { PORT: '0', BROWSER: 'none' })
}
