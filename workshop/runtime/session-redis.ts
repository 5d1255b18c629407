import { startEmbeddedRedis } from '../../wire/embedded-redis.ts'
import { startRoundRobin } from '../../wire/round-robin.ts'
import { startRedis } from '../proxies/redis.ts'
import { redisServer } from '../tools/redis.ts'

/** The Redis of a running lesson. */
export type SessionRedis = {
  /** The port that always leads to Redis. */
  readonly port: number
  /** The port for the learner's processes, which leads nowhere while Redis is away. */
  readonly portForProcesses: number
  /** Whether it is the real Redis, and not the embedded one. */
  readonly isReal: boolean
  /** Cuts the connections of the learner's processes and refuses new ones, until it is called with `false`. */
  goAway(isAway: boolean): void
  stop(): Promise<void>
}

/** Starts the real Redis or, on a machine without redis-server, the embedded one. */
export async function startSessionRedis(): Promise<SessionRedis> {
  const isReal = redisServer.find() !== undefined
  const [redis, way] = await Promise.all([
    isReal ? startRedis() : startEmbeddedRedis(),
    startRoundRobin(),
  ])
  way.add({ name: 'Redis', port: redis.port })
  return {
    port: redis.port,
    portForProcesses: way.port,
    isReal,
    goAway(isAway) {
      way.remove('Redis')
      if (isAway) way.cut()
      else way.add({ name: 'Redis', port: redis.port })
    },
    async stop() {
      await Promise.all([redis.stop(), way.stop()])
    },
  }
}
