import { randomUUID } from 'node:crypto'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEmbeddedRedis, type EmbeddedRedis } from '../../wire/embedded-redis.ts'
import type { RespValue } from '../../wire/resp.ts'
import { startRedis, type RunningRedis } from '../../workshop/proxies/redis.ts'
import { redisServer } from '../../workshop/tools/redis.ts'
import { redisConnection, type RedisConnection } from '../../wire/redis-connection.ts'

// Compares the embedded Redis of lesson 9 with the real one.

describe.skipIf(!redisServer.find())('the embedded Redis and the real one', () => {
  let embedded: EmbeddedRedis
  let real: RunningRedis
  beforeAll(async () => {
    ;[embedded, real] = await Promise.all([startEmbeddedRedis(), startRedis()])
  })
  afterAll(() => Promise.all([embedded.stop(), real.stop()]))

  test.each(['2', '3'])(
    'give the same replies to the same commands in version %s of the protocol',
    async (version) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(anyCommand, { minLength: 1, maxLength: 40 }),
          async (commands) => {
            const prefix = randomUUID()
            const ofEmbedded = await repliesOf(embedded.port, version, prefix, commands)
            const ofReal = await repliesOf(real.port, version, prefix, commands)
            expect(ofEmbedded).toEqual(ofReal)
          },
        ),
        { numRuns: 300 },
      )
    },
  )

  test.each(['2', '3'])(
    'read in the same way in version %s while a client blocks',
    async (version) => {
      const [ofEmbedded, ofReal] = await Promise.all(
        [embedded.port, real.port].map((port) => repliesWhileBlocking(port, version)),
      )
      expect(ofEmbedded).toEqual(ofReal)
      expect(ofReal!.slice(-2)).toEqual([1, new Error(UNBLOCKED)])
    },
  )

  test('number the entries in the same way', async () => {
    for (const { port } of [embedded, real]) {
      const redis = redisConnection(port)
      const key = randomUUID()
      const ids = await Promise.all(
        Array.from({ length: 200 }, () => redis.command('XADD', key, '*', 'n', '1')),
      )
      redis.close()
      expect(ids.every((id) => /^\d{13}-\d+$/.test(String(id)))).toBe(true)
      expect(new Set(ids).size).toBe(200)
    }
  })

  test('keep somewhat more than an approximate MAXLEN', async () => {
    for (const { port } of [embedded, real]) {
      const redis = redisConnection(port)
      const key = randomUUID()
      for (let n = 1; n <= 500; n += 1) {
        await redis.command('XADD', key, 'MAXLEN', '~', '10', `${n}-0`, 'n', '1')
      }
      const length = await redis.command('XLEN', key)
      redis.close()
      expect(length).toBeGreaterThanOrEqual(10)
      expect(length).toBeLessThan(110)
    }
  })
})

test('an unknown command is an error that names the embedded Redis', async () => {
  const embedded = await startEmbeddedRedis()
  const redis = redisConnection(embedded.port)
  await expect(redis.command('XGROUP', 'CREATE')).rejects.toThrow(
    "ERR unknown command 'XGROUP'. This is the workshop's embedded Redis, which knows only what lesson 9 needs. npm run setup installs the real one.",
  )
  redis.close()
  await embedded.stop()
})

test.each([true, false])('starts again, and keeps its data: %s', async (keepsData) => {
  const embedded = await startEmbeddedRedis()
  const before = redisConnection(embedded.port)
  await before.command('XADD', 'quakes', '1-0', 'n', '1')
  const waiting = before.command('XREAD', 'BLOCK', '0', 'STREAMS', 'quakes', '1-0')
  const closed = expect(waiting).rejects.toThrow('Redis closed the connection')
  await embedded.stop()
  await closed
  await embedded.start({ keepsData })
  const after = redisConnection(embedded.port)
  expect(await after.command('XLEN', 'quakes')).toBe(keepsData ? 1 : 0)
  after.close()
  await embedded.stop()
})

const UNBLOCKED = 'UNBLOCKED client unblocked via CLIENT UNBLOCK'

const anyKey = fc.constantFrom('a', 'b')
const anyNumber = fc.oneof(
  { weight: 6, arbitrary: fc.nat(6).map(String) },
  fc.constantFrom('-1', '18446744073709551615', '18446744073709551616', 'x', ''),
)
const anyId = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.nat(30), fc.nat(11)).map(([ms, seq]) => `${ms}-${seq}`) },
  fc.constantFrom(
    '5',
    '7-*',
    '0-0',
    '18446744073709551615-18446744073709551615',
    'x',
    '5-',
    '1-2-3',
  ),
)
const anyBound = fc.oneof(
  anyId,
  anyId.map((id) => `(${id}`),
  fc.constantFrom('-', '+'),
)
const anyField = fc.constantFrom('quake', 'M 6.4 – Türkiye', '{"mag":6.4}', '', 'a\r\nb')
const maybeCount = fc.oneof(
  { weight: 3, arbitrary: fc.constant<string[]>([]) },
  anyNumber.map((count) => ['COUNT', count]),
)
const anyTrim = fc
  .oneof(
    fc.tuple(fc.constantFrom('MAXLEN', 'maxlen'), fc.constantFrom('=', undefined), anyNumber),
    fc.tuple(fc.constant('MINID'), fc.constantFrom('=', undefined), anyId),
  )
  .map((parts) => parts.filter((part) => part !== undefined))

const anyCommand: fc.Arbitrary<string[]> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        anyKey,
        fc.oneof(
          { weight: 4, arbitrary: fc.constant<string[]>([]) },
          anyTrim,
          fc.constant(['NOMKSTREAM']),
        ),
        anyId,
        fc.array(anyField, { minLength: 1, maxLength: 4 }),
      )
      .map(([key, options, id, fields]) => ['XADD', key, ...options, id, ...fields]),
  },
  fc
    .tuple(anyKey, anyBound, anyBound, maybeCount)
    .map(([key, start, end, count]) => ['XRANGE', key, start, end, ...count]),
  fc
    .tuple(anyKey, anyBound, anyBound, maybeCount)
    .map(([key, start, end, count]) => ['XREVRANGE', key, start, end, ...count]),
  fc
    .tuple(maybeCount, anyKey, fc.oneof(anyId, fc.constant('$')))
    .map(([count, key, id]) => ['XREAD', ...count, 'STREAMS', key, id]),
  fc.tuple(anyId, anyId).map(([one, other]) => ['XREAD', 'STREAMS', 'a', 'b', one, other]),
  fc.tuple(anyKey, anyTrim).map(([key, trim]) => ['XTRIM', key, ...trim]),
  anyKey.map((key) => ['XLEN', key]),
  anyKey.map((key) => ['XINFO', 'STREAM', key]),
  anyKey.map((key) => ['EXISTS', key]),
  anyKey.map((key) => ['DEL', key]),
  fc.constantFrom<string[][]>(
    ['PING'],
    ['PING', 'a'],
    ['SELECT', '0'],
    ['XLEN'],
    ['XREAD', 'STREAMS', 'a', 'b', '0-0'],
    ['XREAD', 'BLOCK', '-1', 'STREAMS', 'a', '0-0'],
    ['XREAD', 'BLOCK', 'x', 'STREAMS', 'a', '0-0'],
    ['CLIENT', 'SETNAME', 'a'],
    ['CLIENT', 'GETNAME'],
  ),
)

async function repliesOf(
  port: number,
  version: string,
  prefix: string,
  commands: string[][],
): Promise<unknown[]> {
  const redis = await connection(port, version)
  const replies = await Promise.all(
    commands.map((command) =>
      replyTo(
        redis,
        command.map((arg) => (/^[ab]$/.test(arg) ? prefix + arg : arg)),
      ),
    ),
  )
  await redis.command('DEL', `${prefix}a`, `${prefix}b`)
  redis.close()
  return replies.map(comparable)
}

/** Returns the replies to a reader that blocks, to the commands after its XREAD, and to its end by CLIENT UNBLOCK. */
async function repliesWhileBlocking(port: number, version: string): Promise<unknown[]> {
  const [reader, writer] = [await connection(port, version), await connection(port, version)]
  const key = randomUUID()
  const id = String(await reader.command('CLIENT', 'ID'))
  const order: string[] = []
  const first = replyTo(reader, ['XREAD', 'BLOCK', '0', 'STREAMS', key, '$'])
  const behind = replyTo(reader, ['PING']).finally(() => order.push('PING'))
  await writer.command('PING')
  while ((await writer.command('CLIENT', 'UNBLOCK', id)) === 0);
  await behind
  const second = replyTo(reader, ['XREAD', 'BLOCK', '0', 'COUNT', '1', 'STREAMS', key, '1-0'])
  for (const entry of ['1-0', '1-1', '2-0']) {
    order.push(String(await writer.command('XADD', key, entry, 'n', '1')))
  }
  const timedOut = await replyTo(reader, ['XREAD', 'BLOCK', '10', 'STREAMS', key, '2-0'])
  const third = replyTo(reader, ['XREAD', 'BLOCK', '0', 'STREAMS', key, '$'])
  let unblocked: RespValue = 0
  while (unblocked === 0) unblocked = await writer.command('CLIENT', 'UNBLOCK', id, 'ERROR')
  const replies = [await first, await behind, await second, timedOut, order, unblocked, await third]
  for (const each of [reader, writer]) each.close()
  return JSON.parse(JSON.stringify(replies).replaceAll(key, 'key')).with(-1, replies.at(-1))
}

async function connection(port: number, version: string): Promise<RedisConnection> {
  const redis = redisConnection(port)
  await redis.command('HELLO', version)
  return redis
}

function replyTo(redis: RedisConnection, command: string[]): Promise<unknown> {
  return redis.command(...command).catch((error: Error) => new Error(error.message))
}

/** Leaves out what the embedded Redis does not have, which no lesson uses. */
function comparable(reply: unknown): unknown {
  if (!Array.isArray(reply) || !reply.flat().includes('last-generated-id')) return reply
  const pairs: unknown[][] = Array.isArray(reply[0])
    ? reply
    : Array.from({ length: reply.length / 2 }, (_, n) => reply.slice(2 * n, 2 * n + 2))
  return pairs.filter(([name]) => !String(name).startsWith('radix-tree'))
}
