import assert from 'node:assert/strict'
import process from 'node:process'
import type { Quake } from '#feed'
import { quakesFor } from '../body.ts'
import { goalText, median, ratioText, type Section, type Size } from '../section.ts'
import { marked, openClients } from './clients.ts'
import { openReader } from './reader.ts'
import { serve, type Served } from './served.ts'
import { LIBRARY, SERVERS, type ServerName } from './servers.ts'

/** What one server did in one round. */
type Measured = { perCpuSecond: number; bytesPerClient: number }

/** Measures the servers of lessons 2, 5 and 8 beside better-sse and a naive loop. */
export async function run(size: Size): Promise<Section> {
  const rows: string[][] = []
  for (const { clients, deliveries, rounds } of SIZES[size]) {
    const count = Math.min(clients, mostSockets())
    const quakes = quakesFor('full')
      .slice(0, Math.ceil(deliveries / count))
      .map(marked)
    const measured = new Map<ServerName, Measured[]>()
    for (let round = 0; round < rounds; round += 1) {
      // Start all processes at once. Those that wait for their turn use no CPU time.
      const servers = await Promise.all(NAMES.map(serve))
      for (const [n, name] of NAMES.entries()) {
        const result = await measure(servers[n]!, count, quakes)
        measured.set(name, [...(measured.get(name) ?? []), result])
      }
    }
    for (const [name, each] of measured) {
      rows.push([`${count}`, name, ...cellsOf(name, each, measured.get(LIBRARY)!)])
    }
  }
  return {
    title: 'Fan-out (lessons 2, 5 and 8)',
    text:
      `Each client has a real socket. The next quake is published when every client has received the previous one, so no client can fall behind, and a lost connection or quake ends the benchmark. ` +
      `CPU time and memory are those of the server's process. A client is idle until the first quake. ${limitText(size)}`,
    head: [
      'Clients',
      'Server',
      'Deliveries per CPU second',
      `Beside ${LIBRARY}`,
      'Goal',
      'Memory per idle client',
      `Beside ${LIBRARY}`,
      'Goal',
    ],
    rows,
  }
}

const SIZES = {
  full: [
    { clients: 1000, deliveries: 100_000, rounds: 3 },
    { clients: 10_000, deliveries: 100_000, rounds: 3 },
  ],
  tiny: [{ clients: 3, deliveries: 6, rounds: 1 }],
}

/** The number of quakes before the measurement begins. */
const WARM_UP = 10

const NAMES = Object.keys(SERVERS) as ServerName[]

async function measure(server: Served, clients: number, quakes: Quake[]): Promise<Measured> {
  // The first client makes the server load whatever it loads late.
  const reader = await openReader(server.port)
  const before = await server.measure()
  const all = await openClients(server.port, clients)
  const idle = await server.measure()

  const published: Quake[] = []
  const publish = async (quake: Quake): Promise<void> => {
    published.push(quake)
    server.publish(quake)
    await all.received(published.length)
  }
  for (const quake of quakes.slice(0, WARM_UP)) await publish(quake)
  const start = await server.measure()
  for (const quake of quakes) await publish(quake)
  const end = await server.measure()

  assert.deepEqual(reader.quakes, published, server.name)
  reader.close()
  all.close()
  await server.stop()
  return {
    perCpuSecond: (quakes.length * clients * 1000) / (end.cpuMs - start.cpuMs),
    bytesPerClient: (idle.memory - before.memory) / clients,
  }
}

function cellsOf(name: ServerName, mine: Measured[], library: Measured[]): string[] {
  const rates = mine.map(({ perCpuSecond }) => perCpuSecond)
  const sizes = mine.map(({ bytesPerClient }) => bytesPerClient)
  const shown = [
    `${Math.round(median(rates) / 100) / 10} thousand`,
    `${(median(sizes) / 1024).toFixed(1)} KB`,
  ]
  if (name === LIBRARY) return [shown[0]!, '', '', shown[1]!, '', '']
  const speed = rates.map((rate, round) => rate / library[round]!.perCpuSecond)
  const memory = sizes.map((bytes, round) => bytes / library[round]!.bytesPerClient)
  const goal = name.startsWith('lesson') ? 1 : undefined
  return [
    shown[0]!,
    ratioText(speed),
    goalText(goal, speed),
    shown[1]!,
    ratioText(memory),
    goalText(goal, memory, 'less'),
  ]
}

/** Returns how many clients this process can have: each of them, and each of the server's connections, is an open file. */
function mostSockets(): number {
  const { userLimits } = process.report.getReport() as unknown as {
    userLimits?: { open_files: { soft: number | 'unlimited' } }
  }
  const limit = Number(userLimits?.open_files.soft)
  // Keep some for everything else that a process opens.
  return Number.isNaN(limit) ? Infinity : limit - 100
}

function limitText(size: Size): string {
  const most = Math.max(...SIZES[size].map(({ clients }) => clients))
  return most <= mostSockets()
    ? ''
    : `This machine allows a process only ${mostSockets() + 100} open files, so there were fewer clients than ${most}.`
}
