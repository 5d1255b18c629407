import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { redisServer } from '../tools/redis.ts'
import { startProxyProcess, type RunningProxy } from './proxy-process.ts'

/** A running redis-server. */
export type RunningRedis = RunningProxy & {
  /** Returns the files in which Redis has stored its data. Redis appends each entry to them before it replies. */
  readData(): DataFile[]
}

export type DataFile = { path: string; bytes: Buffer }

/**
 * Starts a redis-server of our own. Like the proxies, it runs in a folder of its own. Code that we do not trust may
 * connect to it, so it allows only commands that reach nothing outside its data.
 *
 * @param options.data the files of an earlier redis-server, which this one loads
 * @param options.keepsData whether the data is also stored in files, so that another redis-server can load it
 */
export async function startRedis({
  data = [],
  keepsData = false,
}: { data?: DataFile[]; keepsData?: boolean } = {}): Promise<RunningRedis> {
  let ours = ''
  const running = await startProxyProcess(redisServer, ({ port, folder, write }) => {
    ours = folder
    for (const { path, bytes } of data) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), bytes)
    }
    return [write(CONF, confFor(port, keepsData))]
  })
  while (await isLoading(running.port)) await sleep(5)
  return { ...running, readData: () => filesIn(ours).filter(({ path }) => path !== CONF) }
}

const CONF = 'redis.conf'

function confFor(port: number, keepsData: boolean): string {
  return `
bind 127.0.0.1
port ${port}
save ""
appendonly ${keepsData ? 'yes' : 'no'}
maxmemory 256mb
maxmemory-policy noeviction
user default on nopass ~* &* +@all -@admin -@dangerous -@scripting +client +info
`
}

/** Returns whether Redis accepts connections, but has not loaded its data yet. */
async function isLoading(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {})
  socket.write('PING\r\n')
  const [reply] = await once(socket, 'data')
  socket.destroy()
  return String(reply).startsWith('-LOADING')
}

function filesIn(folder: string): DataFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .map((file) => ({ path: relative(folder, file), bytes: readFileSync(file) }))
}
