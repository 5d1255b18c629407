// The program of a server's process. Its CPU time and its memory are those of one server, and not of the clients.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Quake } from '#feed'
import { exitWithParent } from '../../workshop/process/exit-with-parent.ts'
import { SERVERS, type FanOutServer, type ServerName } from './servers.ts'

export type Order = { start: ServerName } | { publish: Quake } | { measure: true }

export type Answer = { port: number } | { cpuMs: number; memory: number }

let server: FanOutServer

exitWithParent()
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
process.on('message', (order: Order) => {
  if ('publish' in order) server.publish(order.publish)
  else if ('measure' in order) tell(measured())
  else void start(order.start)
})

async function start(name: ServerName): Promise<void> {
  server = SERVERS[name]()
  const listening = createServer(server.app)
  await once(listening.listen(0, '127.0.0.1'), 'listening')
  tell({ port: (listening.address() as AddressInfo).port })
}

/** Measures the CPU time before the garbage is collected, because that garbage includes the garbage of the benchmark. */
function measured(): Answer {
  const { user, system } = process.cpuUsage()
  collectGarbage()
  return { cpuMs: (user + system) / 1000, memory: process.memoryUsage.rss() }
}

function tell(answer: Answer): void {
  process.send!(answer)
}
