import { randomUUID } from 'node:crypto'
import type { GraderTasks } from '../../../protocol/grading.ts'
import type { RespValue } from '../../../wire/resp.ts'
import { startEmbeddedRedis } from '../../../wire/embedded-redis.ts'
import type { Tools } from '../toolbox.ts'
import { askGrader, hasGrader } from './grader.ts'
import { REDIS } from './lanes.ts'
import { redisConnection, type RedisConnection } from '../../../wire/redis-connection.ts'

/** The Redis of a check: the real one, or the embedded one on a machine without redis-server. */
export type TestRedis = {
  /** Changes when Redis starts again. A program that survives a restart connects through `tapRedis()`. */
  readonly port: number
  readonly url: string
  readonly isReal: boolean
  /** Sends a command on the check's own connection, and returns the reply. */
  command(...args: string[]): Promise<RespValue>
}

/** A Redis that belongs to one check, so the check may stop it. */
export type OwnRedis = TestRedis & {
  /** Ends Redis, as a crash would. Its connections are closed. */
  stop(): Promise<void>
  /** Starts Redis again. @param options.keepsData whether it has the data that it had before */
  start(options: { keepsData: boolean }): Promise<void>
}

/** Returns a key that no other check uses. All checks share one Redis. */
export function freshKey(): string {
  return `quakes-${randomUUID()}`
}

/** Connects to the Redis that all checks share. Use a `freshKey()`. */
export async function sharedRedis(t: Tools): Promise<TestRedis> {
  const real = hasGrader ? await askGrader('startRedis', true) : undefined
  if (real) return testRedis(t, { isReal: true, port: () => real.port })
  shared ??= startEmbeddedRedis()
  const embedded = await shared
  return testRedis(t, { isReal: false, port: () => embedded.port })
}

let shared: ReturnType<typeof startEmbeddedRedis> | undefined

/** What starts and stops the real Redis. */
export type RedisLauncher = Pick<GraderTasks, 'startRedis' | 'stopRedis' | 'restartRedis'>

/** Starts a Redis for a check that stops it. */
export async function ownRedis(t: Tools, launcher = gradersLauncher): Promise<OwnRedis> {
  const redis = (launcher && (await ownReal(launcher))) || (await startEmbedded())
  t.atEnd(redis.stop)
  const { isReal, port, stop, start } = redis
  const tested = testRedis(t, { isReal, port })
  return Object.assign(tested, {
    async stop() {
      t.transcript.step('Redis stops', { at: REDIS, label: 'stops' })
      await stop()
    },
    async start({ keepsData }: { keepsData: boolean }) {
      await start({ keepsData })
      const label = `starts again ${keepsData ? 'with' : 'without'} its data`
      t.transcript.step(`Redis ${label}`, { at: REDIS, label })
    },
  })
}

type Controlled = Omit<OwnRedis, keyof TestRedis> & { isReal: boolean; port(): number }

const gradersLauncher: RedisLauncher | undefined = hasGrader
  ? {
      startRedis: (isShared) => askGrader('startRedis', isShared),
      stopRedis: (id) => askGrader('stopRedis', id),
      restartRedis: (id, keepsData) => askGrader('restartRedis', id, keepsData),
    }
  : undefined

async function ownReal(launcher: RedisLauncher): Promise<Controlled | undefined> {
  let program = await launcher.startRedis(false)
  if (!program) return undefined
  const { id } = program
  return {
    isReal: true,
    port: () => program!.port,
    stop: () => launcher.stopRedis(id),
    async start({ keepsData }) {
      program = await launcher.restartRedis(id, keepsData)
    },
  }
}

async function startEmbedded(): Promise<Controlled> {
  const redis = await startEmbeddedRedis()
  return { isReal: false, port: () => redis.port, stop: redis.stop, start: redis.start }
}

function testRedis(t: Tools, { isReal, port }: { isReal: boolean; port(): number }): TestRedis {
  let connection: { port: number; own: RedisConnection } | undefined
  t.atEnd(() => connection?.own.close())
  return {
    isReal,
    get port() {
      return port()
    },
    get url() {
      return `redis://127.0.0.1:${port()}`
    },
    command(...args) {
      if (connection?.port !== port()) {
        connection?.own.close()
        connection = { port: port(), own: redisConnection(port()) }
      }
      return connection.own.command(...args)
    },
  }
}
