import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { ProcessesState } from '../../protocol/page.ts'
import { readEvents } from '../../solutions/06-resume/read-events.ts'
import { filledSandbox } from '../../workshop/grader/sandbox.ts'
import { lessonNumbered, solutionsFolder } from '../../workshop/lessons/catalogue.ts'
import { stubsOf } from '../../workshop/lessons/stubs.ts'
import { startLearnerCluster, type LearnerCluster } from '../../workshop/runtime/learner-cluster.ts'
import { redisServer } from '../../workshop/tools/redis.ts'

// Tests the processes of lesson 9, with the solution.

let cluster: LearnerCluster
let happened: string[] = []
let connections = 0
afterEach(async () => {
  vi.restoreAllMocks()
  await cluster.stop()
})

test('a client that moves to another process gets every entry once', async () => {
  start()
  await until(({ processes }) => processes.every(({ state }) => state === 'running'))
  const first = await connect()
  expect(cluster.state.processes.map(({ clients }) => clients)).toEqual([1, 0, 0])
  const ids = await first.ids(3)
  expect(cluster.kill('process 1')).toBe(true)
  expect(cluster.kill('process 1')).toBe(false)
  await first.lost
  const second = await connect(ids.at(-1))
  const [next] = await second.ids(1)
  expect(Number.parseInt(next!)).toBeGreaterThan(Number.parseInt(ids.at(-1)!))
  await until(({ processes }) => processes[0]!.state === 'running')
  expect(happened).toEqual([
    'redis',
    'running',
    '1: process 1',
    '2: process 2',
    'restarts process 1',
  ])
})

test('a rolling restart replaces one process at a time', async () => {
  start()
  await until(({ processes }) => processes.every(({ state }) => state === 'running'))
  const client = await connect()
  let most = 0
  watched = ({ processes }) => {
    most = Math.max(most, processes.filter(({ state }) => state !== 'running').length)
  }
  expect(cluster.roll()).toBe(true)
  expect(cluster.roll()).toBe(false)
  await client.lost
  await until(({ isRolling }) => !isRolling)
  expect(most).toBe(1)
  expect(happened.slice(-3)).toEqual([
    'restarts process 1',
    'restarts process 2',
    'restarts process 3',
  ])
})

test('a save during a rolling restart starts each process only once', async () => {
  start()
  await until(({ processes }) => processes.every(({ state }) => state === 'running'))
  cluster.roll()
  cluster.restart()
  await until(({ isRolling }) => !isRolling)
  expect(happened).not.toContain('restarts process 1')
})

test('entries that are added while Redis is away arrive when it is back', async () => {
  start()
  await until(({ processes }) => processes[0]!.state === 'running')
  const client = await connect()
  await client.ids(1)
  cluster.redisGoesAway(true)
  cluster.burst(50)
  cluster.redisGoesAway(false)
  expect(await client.ids(50)).toHaveLength(50)
})

test('without redis-server, the processes share the embedded Redis', async () => {
  vi.spyOn(redisServer, 'find').mockReturnValue(undefined)
  start()
  const client = await connect()
  expect(await client.ids(2)).toHaveLength(2)
  expect(cluster.state.isRealRedis).toBe(false)
})

test('a stub says what to write', async () => {
  const sandbox = await filledSandbox(solutionsFolder)
  for (const { name, text } of stubsOf(lessonNumbered(9)!)) {
    writeFileSync(join(sandbox.folder, L9, name), text)
  }
  start(sandbox.folder)
  const answer = await cluster.destination({ connection: 1, clientPort: 1 })
  expect(answer).toEqual({
    unavailable: expect.stringMatching(/^Nothing to see yet: lesson 9, task 9\.1: write /),
  })
  await sandbox.remove()
})

let watched = (_state: ProcessesState): void => {}

const L9 = '09-scale-out'

function start(work = solutionsFolder): void {
  happened = []
  connections = 0
  watched = () => {}
  cluster = startLearnerCluster({
    name: 'process.ts',
    folder: async () => join(work, L9),
    events: {
      changed: (state) => watched(state),
      redis: () => happened.push('redis'),
      running: () => happened.push('running'),
      notWritten: (what) => happened.push(what),
      down: (what, detail) => happened.push(`${what} ${detail}`),
      printed: (line) => happened.push(line),
      routed: (connection, name) => happened.push(`${connection}: ${name}`),
      restarting: (name) => happened.push(`restarts ${name}`),
    },
  })
}

async function until(holds: (state: ProcessesState) => boolean): Promise<void> {
  await vi.waitUntil(() => holds(cluster.state), { timeout: 120_000 })
}

async function connect(
  lastEventId?: string,
): Promise<{ ids(count: number): Promise<string[]>; lost: Promise<void> }> {
  connections += 1
  const to = await cluster.destination({ connection: connections, clientPort: undefined })
  if (typeof to === 'string' || !('port' in to)) throw new Error('there is no process')
  const response = await fetch(`http://127.0.0.1:${to.port}/events`, {
    headers: lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId },
  })
  const got: string[] = []
  const read = async (): Promise<void> => {
    for await (const { id } of readEvents(response.body!)) if (id) got.push(id)
  }
  return {
    lost: read().catch(() => {}),
    async ids(count) {
      await vi.waitUntil(() => got.length >= count, { timeout: 120_000 })
      return got.splice(0, count)
    },
  }
}
