import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { EventSource } from 'eventsource'
import { afterEach, expect, test, vi } from 'vitest'
import type { Arrival, Closing } from '../../wire/arrival.ts'
import { interpret } from '../../wire/interpret.ts'
import { recorder } from '../../wire/recorder.ts'
import { tap, type Destination, type Tap } from '../../wire/tap.ts'

let opened: Tap
let server: Server
let sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets = []
  server?.close()
  await opened.close()
})

/** Returns both ends of one connection: a bare TCP server, and a client, with a tap between the two. */
async function tapped(): Promise<{
  client: Socket
  served: Socket
  arrivals: Arrival[]
  closing: Promise<Closing>
}> {
  server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const arrivals: Arrival[] = []
  const told = pending<Closing>()
  opened = await tap({
    port: 0,
    destination: async () => ({ port: (server.address() as AddressInfo).port }),
    observer: {
      opened: () => {},
      arrived: (_connection, arrival) => arrivals.push(arrival),
      closed: (_connection, closing) => told.resolve(closing),
    },
  })
  const client = connect({ port: opened.port, host: '127.0.0.1', allowHalfOpen: true })
  const [served] = (await once(server, 'connection')) as [Socket]
  sockets.push(client, served)
  for (const socket of sockets) socket.on('error', () => {})
  return { client, served, arrivals, closing: told.promise }
}

async function read(socket: Socket): Promise<string> {
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  return bytes.toString()
}

test('bytes cross in both directions, and are reported with their direction', async () => {
  const { client, served, arrivals } = await tapped()
  client.write('ask')
  expect(await read(served)).toBe('ask')
  served.write('answer')
  expect(await read(client)).toBe('answer')
  expect(arrivals.map(({ hop, direction, bytes }) => [hop, direction, bytes.toString()])).toEqual([
    ['client', 'request', 'ask'],
    ['server', 'request', 'ask'],
    ['server', 'response', 'answer'],
    ['client', 'response', 'answer'],
  ])
  expect(arrivals.map(({ at }) => at)).toEqual(
    arrivals.map(({ at }) => at).toSorted((a, b) => a - b),
  )
})

test('a client that has ended its side still receives the response', async () => {
  const { client, served, closing } = await tapped()
  served.resume()
  client.end('the end')
  await once(served, 'end')
  served.end('the answer')
  expect(await read(client)).toBe('the answer')
  await once(client, 'end')
  expect(await closing).toMatchObject({ by: 'client', how: 'ended' })
})

test('the end of the server reaches the client after all its bytes', async () => {
  const { client, served, closing } = await tapped()
  served.end('bye')
  expect(await read(client)).toBe('bye')
  await once(client, 'end')
  client.end()
  expect(await closing).toMatchObject({ by: 'server', how: 'ended' })
})

test('a reset by the server reaches the client as a reset', async () => {
  const { client, served, closing } = await tapped()
  served.write('half')
  const ended = once(client, 'error') as Promise<[NodeJS.ErrnoException]>
  expect(await read(client)).toBe('half')
  served.resetAndDestroy()
  expect((await ended)[0].code).toBe('ECONNRESET')
  expect(await closing).toMatchObject({ by: 'server', how: 'reset' })
})

test('the server notices when the client disconnects', async () => {
  const { client, served, closing } = await tapped()
  served.resume()
  client.destroy()
  await once(served, 'end')
  served.end()
  expect(await closing).toMatchObject({ by: 'client', how: 'ended' })
})

test('a reset by the client reaches the server as a reset', async () => {
  const { client, served, closing } = await tapped()
  const ended = once(served, 'error') as Promise<[NodeJS.ErrnoException]>
  served.resume()
  client.resetAndDestroy()
  expect((await ended)[0].code).toBe('ECONNRESET')
  expect(await closing).toMatchObject({ by: 'client', how: 'reset' })
})

test('a stalled client makes the server wait, and loses nothing', async () => {
  const { client, served } = await tapped()
  client.pause()
  const block = Buffer.alloc(64 * 1024, 'x')
  const most = 4096
  let written = 0
  // Write far more than the buffers of two connections can hold.
  while (written < most && served.write(block)) {
    written += 1
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(written).toBeLessThan(most)

  const drained = once(served, 'drain')
  let received = 0
  client.on('data', (bytes) => (received += bytes.length))
  client.resume()
  await drained
  served.end()
  await once(client, 'end')
  expect(received).toBe((written + 1) * block.length)
})

test('a request without a destination gets 503 with the reason', async () => {
  const arrivals: Arrival[] = []
  opened = await tapTo({ unavailable: 'The file has a syntax error.' }, arrivals)
  const response = await fetch(`http://127.0.0.1:${opened.port}/`)
  expect(response.status).toBe(503)
  expect(await response.text()).toBe('The file has a syntax error.\n')
  expect(arrivals.map(({ direction, hop }) => `${direction} ${hop}`)).toEqual([
    'request client',
    'response workshop',
  ])
})

test('if nothing listens, a client is reset, and the wire says why', async () => {
  const { port } = await closedServer()
  const { observer, ...recorded } = recorder()
  opened = await tap({ port: 0, destination: async () => ({ port }), observer })
  const asked = fetch(`http://127.0.0.1:${opened.port}/`)
  await expect(asked).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } })
  await vi.waitUntil(() => recorded.after(0, 9).some(({ kind }) => kind === 'closed'))
  expect(recorded.after(0, 9).at(-1)).toMatchObject({
    text: `reset, because nothing listens at 127.0.0.1:${port}`,
    isFailure: true,
  })
})

test('an EventSource tries again until the server is back', async () => {
  const { port } = await closedServer()
  opened = await tapTo({ port }, [])
  const source = new EventSource(`http://127.0.0.1:${opened.port}/`)
  await once(source, 'error')
  expect(source.readyState).toBe(EventSource.CONNECTING)
  const back = createHttpServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: back\n\n')
  }).listen(port, '127.0.0.1')
  const [{ data }] = (await once(source, 'message')) as [MessageEvent]
  expect(data).toBe('back')
  source.close()
  back.closeAllConnections()
  back.close()
})

test('a cut resets a client that does not read, even after a response without a length', async () => {
  const { client, served } = await tapped()
  client.pause()
  client.write('GET / HTTP/1.0\r\n\r\n')
  await read(served)
  served.write('HTTP/1.0 200 OK\r\n\r\n')
  while (served.write(Buffer.alloc(1 << 20)));
  // When the buffer of the tap is full as well, nothing moves.
  await vi.waitUntil(() => served.writableNeedDrain)
  opened.faults.cut()
  const ended = once(client, 'error') as Promise<[NodeJS.ErrnoException]>
  client.resume()
  expect((await ended)[0].code).toBe('ECONNRESET')
})

test('a client waits until the address of the server is known', async () => {
  server = createServer((socket) => socket.end('here')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const asked = pending<void>()
  const answer = pending<Destination>()
  opened = await tap({
    port: 0,
    destination() {
      asked.resolve()
      return answer.promise
    },
    observer: silent([]),
  })
  const client = connect({ port: opened.port, host: '127.0.0.1' })
  sockets.push(client)
  await asked.promise
  answer.resolve({ port: (server.address() as AddressInfo).port })
  expect(await read(client)).toBe('here')
})

test('a taken port is an error', async () => {
  opened = await tapTo({ unavailable: '' }, [])
  await expect(
    tap({
      port: opened.port,
      destination: async () => ({ unavailable: '' }),
      observer: silent([]),
    }),
  ).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

/** Returns the port of a server that no longer listens. */
async function closedServer(): Promise<{ port: number }> {
  const gone = createServer().listen(0, '127.0.0.1')
  await once(gone, 'listening')
  const { port } = gone.address() as AddressInfo
  gone.close()
  await once(gone, 'close')
  return { port }
}

function tapTo(destination: Destination, arrivals: Arrival[]): Promise<Tap> {
  return tap({ port: 0, destination: async () => destination, observer: silent(arrivals) })
}

function silent(arrivals: Arrival[]): Parameters<typeof tap>[0]['observer'] {
  return {
    opened: () => {},
    arrived: (_connection, arrival) => arrivals.push(arrival),
    closed: () => {},
  }
}

function pending<T>(): { promise: Promise<T>; resolve(value: T): void } {
  let resolve = (_value: T): void => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

test('with a proxy there are three hops, each with its own bytes', async () => {
  const app = createHttpServer((request, response) => {
    request.resume()
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.write('data: one\n\n')
    request.on('end', () => next.promise.then(() => response.end('data: two\n\n')))
  }).listen(0, '127.0.0.1')
  await once(app, 'listening')
  const next = pending<void>()
  const { observer, ...recorded } = recorder()
  opened = await tap({
    port: 0,
    destination: async () => ({ port: (app.address() as AddressInfo).port }),
    observer,
  })
  opened.proxy({ http: '1.0', holds: 4096 })
  const asked = fetch(`http://127.0.0.1:${opened.port}/events`, { method: 'POST', body: 'please' })
  const hops = (): string[] =>
    recorded
      .after(0, 100)
      .flatMap((entry) => (entry.kind === 'arrived' ? `${entry.hop} ${entry.direction}` : []))
  await vi.waitUntil(() => hops().includes('server response'))
  // The proxy has passed nothing on yet, because everything arrives with the end.
  expect(hops()).toEqual(['client request', 'proxy request', 'server request', 'server response'])
  next.resolve()
  expect(await (await asked).text()).toBe('data: one\n\ndata: two\n\n')
  await vi.waitUntil(() => hops().at(-1) === 'client response')

  const events = (hop: string): unknown[] =>
    recorded.after(0, 100).flatMap((entry) => {
      if (entry.kind !== 'arrived' || entry.hop !== hop || entry.direction === 'request') return []
      const { arrival, before, isWhole } = recorded.arrival(entry.n)!
      return interpret(arrival, before, isWhole).events!.dispatched.map(({ data }) => data)
    })
  for (const hop of ['server', 'proxy', 'client']) expect(events(hop)).toEqual(['one', 'two'])
  app.closeAllConnections()
  app.close()
})

test('a proxy affects only new connections, and ends with its connection', async () => {
  const { client, served, arrivals } = await tapped()
  opened.proxy({ holds: 'end' })
  served.write('still direct')
  expect(await read(client)).toBe('still direct')
  expect(arrivals.map(({ hop }) => hop)).toEqual(['server', 'client'])
  const second = connect({ port: opened.port, host: '127.0.0.1' })
  sockets.push(second)
  second.on('error', () => {})
  second.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const [proxied] = (await once(server, 'connection')) as [Socket]
  sockets.push(proxied)
  await read(proxied)
  second.destroy()
  // The client does not end its own side, so the connection does not close.
  await once(proxied, 'end')
})
