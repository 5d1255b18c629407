import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startRoundRobin, type RoundRobin } from '../../wire/round-robin.ts'

let proxy: RoundRobin
const servers = new Map<string, Server>()
const routed: string[] = []

beforeEach(async () => {
  routed.length = 0
  proxy = await startRoundRobin((backend) => routed.push(backend))
  for (const name of ['a', 'b', 'c']) await serve(name)
})

afterEach(async () => {
  await proxy.stop()
  for (const server of servers.values()) {
    server.closeAllConnections()
    server.close()
  }
  servers.clear()
})

test('each connection goes to the next process', async () => {
  expect([await ask(), await ask(), await ask(), await ask()]).toEqual(['a', 'b', 'c', 'a'])
  expect(routed).toEqual(['a', 'b', 'c', 'a'])
})

test('a process that refuses connections is skipped', async () => {
  await close('b')
  expect([await ask(), await ask(), await ask()]).toEqual(['a', 'c', 'a'])
})

test('a connection is closed if no process accepts it', async () => {
  for (const name of servers.keys()) await close(name)
  await expect(ask()).rejects.toThrow()
})

test('a removed process gets no more connections, and the next one stays next', async () => {
  await ask()
  proxy.remove('a')
  expect([await ask(), await ask(), await ask()]).toEqual(['b', 'c', 'b'])
})

test('a preferred process gets every connection', async () => {
  proxy.prefer('b')
  expect([await ask(), await ask()]).toEqual(['b', 'b'])
  proxy.prefer(undefined)
  expect(await ask()).toBe('c')
})

async function serve(name: string): Promise<void> {
  const server = createServer((_request, response) => {
    response.end(name)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  servers.set(name, server)
  proxy.add({ name, port: (server.address() as AddressInfo).port })
}

async function close(name: string): Promise<void> {
  const closed = once(servers.get(name)!, 'close')
  servers.get(name)!.close()
  await closed
}

async function ask(): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${proxy.port}/`, {
    headers: { connection: 'close' },
  })
  return response.text()
}
