import type { StartedProgram } from '../../protocol/grading.ts'
import { startRedis, type DataFile, type RunningRedis } from '../proxies/redis.ts'
import { redisServer } from '../tools/redis.ts'

/** The redis-servers that the grader has started for the checks of one process. */
export type GradersRedis = {
  /** Returns undefined if this machine has no redis-server. */
  start(isShared: boolean): Promise<StartedProgram | undefined>
  stop(id: number): Promise<void>
  /** Starts a stopped redis-server again. @param keepsData whether it has the data that it had before */
  restart(id: number, keepsData: boolean): Promise<StartedProgram>
  end(): Promise<void>
}

export function gradersRedis(): GradersRedis {
  const servers: Server[] = []
  let shared: Promise<StartedProgram> | undefined

  async function startNew(keepsData: boolean): Promise<StartedProgram> {
    if (servers.filter(({ running }) => running).length >= MOST_SERVERS) {
      throw new Error(`more than ${MOST_SERVERS} redis-servers are running`)
    }
    const running = startRedis({ keepsData })
    const id = servers.push({ data: [], running }) - 1
    return { id, port: (await running).port }
  }

  function serverNumbered(id: number): Server {
    const server = servers[id]
    if (!server) throw new Error(`there is no redis-server ${id}`)
    return server
  }

  return {
    async start(isShared) {
      if (!redisServer.find()) return undefined
      if (!isShared) return startNew(true)
      shared ??= startNew(false)
      return shared
    },
    async stop(id) {
      await stop(serverNumbered(id))
    },
    async restart(id, keepsData) {
      const server = serverNumbered(id)
      if (server.running) throw new Error('this redis-server is running')
      server.running = startRedis({ keepsData: true, data: keepsData ? server.data : [] })
      return { id, port: (await server.running).port }
    },
    async end() {
      await Promise.allSettled(servers.map(stop))
    },
  }
}

async function stop(server: Server): Promise<void> {
  const running = await server.running
  if (!running) return
  delete server.running
  server.data = running.readData()
  await running.stop()
}

/** A redis-server, and the files in which it had stored its data when it was stopped. */
type Server = { running?: Promise<RunningRedis>; data: DataFile[] }

/** More than the checks of a lesson use at the same time. */
const MOST_SERVERS = 40
