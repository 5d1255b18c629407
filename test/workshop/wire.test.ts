import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
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

test('an unreachable server is reported at once, and to each client', async () => {
  const program = wire('http://127.0.0.1:1/')
  const [, url] = await program.seen(/(http:\/\/127\.0\.0\.1:\d+\/) {2}your server/)
  await program.seen(
    /There is no server at http:\/\/127\.0\.0\.1:1 yet\. Until it starts, every request gets 503/,
  )
  const answer = await fetch(url!)
  expect(answer.status).toBe(503)
  expect(await answer.text()).toContain('nothing listens at 127.0.0.1:1')
})

test.each([
  ['nothing', [], 'Which server? For example: npm run wire http://127.0.0.1:8080'],
  ['three servers', ['http://a', 'http://b', 'http://c'], 'Name two addresses'],
  ['an invalid URL', ['http://'], '"http://" is not a valid URL'],
  ['TLS', ['https://example.org'], 'the bytes are encrypted'],
  [
    'another scheme',
    ['ftp://example.org'],
    'The URL must begin with http://, got "ftp://example.org".',
  ],
])('%s is refused with an explanation', async (_case, args, says) => {
  const program = wire(...args)
  expect(await program.ended).toBe(2)
  expect(program.output).toContain(says)
})

function wire(...args: string[]): Program {
  return run(copy, ['wire', ...args], { PORT: '0', BROWSER: 'none' })
}
