import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { recorder } from '../../wire/recorder.ts'
import { tap, type Tap } from '../../wire/tap.ts'

let opened: Tap
let server: Server
let sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets = []
  server?.close()
  await opened.close()
})

/** Returns a bare TCP server, a client, a tap between the two, and the recording of both hops. */
async function tapped() {
  server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const record = recorder()
  opened = await tap({
    port: 0,
    destination: async () => ({ port: (server.address() as AddressInfo).port }),
    observer: record.observer,
  })
  const { client, served } = await another()
  return { client, served, record, faults: opened.faults }
}

async function another(): Promise<{ client: Socket; served: Socket }> {
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const client = connect({ port: opened.port, host: '127.0.0.1', allowHalfOpen: true })
  const [served] = await accepted
  sockets.push(client, served)
  for (const socket of [client, served]) socket.on('error', () => {})
  served.resume()
  return { client, served }
}

/** Waits until the client has received `length` bytes. */
async function read(client: Socket, length: number): Promise<string> {
  let text = ''
  while (text.length < length) {
    const [bytes] = (await once(client, 'data')) as [Buffer]
    text += bytes.toString('latin1')
  }
  return text
}

/** Waits until a connection has closed. A reset that follows unread bytes may look like a normal end. */
function overFor(client: Socket): Promise<unknown> {
  return new Promise((resolve) => {
    client.once('error', resolve)
    client.once('end', resolve)
  })
}

/** Returns the lengths of the response's arrivals at a hop. */
function arrivals(record: ReturnType<typeof recorder>, hop: string): number[] {
  return record
    .after(0, Infinity)
    .flatMap((entry) =>
      entry.kind === 'arrived' && entry.hop === hop && entry.direction === 'response'
        ? [entry.size]
        : [],
    )
}

/** Waits until the recorder has an entry for which `isIt()` returns true. */
async function recorded(record: ReturnType<typeof recorder>, isIt: () => boolean): Promise<void> {
  while (!isIt()) {
    await new Promise<void>((resolve) => {
      const stop = record.listen(() => {
        stop()
        resolve()
      })
    })
  }
}

test('a cut resets every connection and returns their number', async () => {
  const { client, served, record, faults } = await tapped()
  const second = await another()
  served.write('half')
  second.served.write('half')
  await Promise.all([read(client, 4), read(second.client, 4)])
  const resets = [client, served, second.client, second.served].map(
    (socket) => once(socket, 'error') as Promise<[NodeJS.ErrnoException]>,
  )
  expect(faults.cut()).toBe(2)
  for (const reset of resets) expect((await reset)[0].code).toBe('ECONNRESET')
  await recorded(
    record,
    () => record.after(0, 99).filter(({ kind }) => kind === 'closed').length === 2,
  )
  expect(faults.cut()).toBe(0)
})

test('a connection is cut after the exact number of bytes', async () => {
  const { client, served, record, faults } = await tapped()
  served.write('before')
  await read(client, 6)
  faults.cutAfter(10)
  const over = overFor(client)
  served.write('12345678')
  expect(await read(client, 8)).toBe('12345678')
  served.write('90 and what nobody gets')
  expect(await read(client, 2)).toBe('90')
  await over
  await recorded(record, () => record.after(0, 99).some(({ kind }) => kind === 'closed'))
  expect(arrivals(record, 'client')).toEqual([6, 8, 2])
  expect(record.after(0, 99).at(-1)).toMatchObject({ kind: 'closed', by: 'workshop', how: 'reset' })

  const later = await another()
  const cutToo = overFor(later.client)
  later.served.write('0123456789')
  expect(await read(later.client, 10)).toBe('0123456789')
  await cutToo
})

test('a stall delays everything that the server sends, and loses nothing when it ends', async () => {
  const { client, served, record, faults } = await tapped()
  faults.stall(true)
  served.write('held')
  await recorded(record, () => arrivals(record, 'server').length === 1)
  // A stall does not affect the request direction. Any response would have reached the client before this.
  const asked = once(served, 'data')
  client.write('ask')
  await asked
  expect(arrivals(record, 'client')).toEqual([])
  faults.stall(false)
  expect(await read(client, 4)).toBe('held')
})

test('the server notices when a stalled client disconnects', async () => {
  const { client, served, record, faults } = await tapped()
  faults.stall(true)
  served.write('held')
  await recorded(record, () => arrivals(record, 'server').length === 1)
  const gone = once(served, 'end')
  client.destroy()
  await gone
  served.end()
  await recorded(record, () => record.after(0, 99).some(({ kind }) => kind === 'closed'))
})

test('a slow reader reads in small pieces, and in the end has everything', async () => {
  const { client, served, record, faults } = await tapped()
  faults.slow(200)
  const text = 'x'.repeat(65)
  served.end(text)
  expect(await read(client, 65)).toBe(text)
  await once(client, 'end')
  expect(arrivals(record, 'server')).toEqual([65])
  expect(arrivals(record, 'client')).toEqual([20, 20, 20, 5])
})

test('a slow reader makes a faster server wait', async () => {
  const { client, served, faults } = await tapped()
  faults.slow(1000)
  client.resume()
  const block = Buffer.alloc(64 * 1024)
  let written = 0
  while (written < 4096 && served.write(block)) {
    written += 1
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(written).toBeLessThan(4096)
})
