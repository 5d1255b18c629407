import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ProcessSettings } from '../../protocol/grading.ts'
import { followQuakes } from '../../solutions/06-resume/client.ts'
import { startRoundRobin } from '../../wire/round-robin.ts'
import { gradersRedis } from '../../workshop/grader/redis.ts'
import { learnerProcesses, type LearnerProcesses } from '../../workshop/grader/learner-processes.ts'
import { filledSandbox, type Sandbox } from '../../workshop/grader/sandbox.ts'
import { solutionsFolder } from '../../workshop/lessons/catalogue.ts'
import { numberedQuakes } from '../harness/quakes.ts'
import { startCluster } from '../harness/scale-out/cluster.ts'
import { prepareProcess, type LearnerProcess } from '../harness/scale-out/processes.ts'
import { ownRedis, type RedisLauncher } from '../harness/scale-out/redis.ts'
import { tapRedis } from '../harness/scale-out/redis-tap.ts'
import { sharedLog } from '../harness/scale-out/shared-log.ts'
import { streamClient } from '../harness/scale-out/stream-client.ts'
import { toolbox, type Tools } from '../harness/toolbox.ts'
import { newTranscript } from '../harness/transcript.ts'

// Kills processes of lesson 9 more often than the check 9.6d, which tries a sample of the moments.

/** These tests start more than a hundred processes, which takes minutes on a busy machine. */
const LONG_MS = 900_000

let sandbox: Sandbox
let launcher: LearnerProcesses
beforeEach(async () => {
  sandbox = await filledSandbox(solutionsFolder)
  launcher = learnerProcesses(sandbox.folder, '09-scale-out')
})
afterEach(async () => {
  await launcher.end()
  await sandbox.remove()
})

test(
  'wherever a process is killed, a client gets every entry once and in order',
  { timeout: LONG_MS },
  async () => {
    let tried = 0
    await play(async (t) => {
      const cluster = await startCluster(t, {
        launcher,
        redis: await ownRedis(t, redisLauncher(t)),
      })
      const isReached = async (moment: number): Promise<boolean> =>
        (await cluster.killAt({ moment, counts: () => true })) > moment
      while (await isReached(tried)) tried += 1
    })
    expect(tried).toBeGreaterThan(FEWEST)
    console.log(`killed at ${tried} moments: 0 entries lost, 0 twice`)
  },
)

test(
  '300 clients of 3 processes get every entry once, whatever is killed, stopped or restarted',
  { timeout: LONG_MS },
  async () => {
    let longest = 0
    const added: string[] = []
    await play(async (t) => {
      const redis = await ownRedis(t, redisLauncher(t))
      const log = await sharedLog(t, redis)
      const tap = await tapRedis(t, redis)
      const fleet = await startFleet(t, { redisUrl: tap.url, key: log.key })
      const addedAt = new Map<string, number>()
      const note = (id: string): void => {
        longest = Math.max(longest, performance.now() - addedAt.get(id)!)
      }
      const clients = [
        ...Array.from({ length: 200 }, () => learnersClient(t, fleet.port, note)),
        // These clients do not hide what they get twice.
        ...Array.from({ length: 100 }, (_, n) => streamClient(t, fleet.port, `client ${n}`).got),
      ]
      const haveAll = (): number => clients.filter((got) => got.length >= added.length).length
      const happening: Promise<void>[] = []
      for (const quake of numberedQuakes(ENTRIES)) {
        const number = added.length
        if (KILLS.includes(number)) happening.push(fleet.kill())
        if (STOPS.includes(number)) happening.push(fleet.stop())
        if (number === RESTART) {
          await redis.stop()
          await redis.start({ keepsData: true })
        }
        const id = `${number + 1}-0`
        addedAt.set(id, performance.now())
        await log.add({ ...quake, id }, id)
        added.push(id)
        // The other clients may be on their way to another process.
        await until(() => haveAll() >= clients.length / 2)
      }
      await Promise.all(happening)
      await until(() => haveAll() === clients.length)
      for (const got of clients) expect(got).toEqual(added)
    })
    console.log(
      `300 clients, ${ENTRIES} entries, ${KILLS.length} kills, ${STOPS.length} stops, 1 restart of Redis: ` +
        `0 entries lost, 0 twice, longest pause ${Math.round(longest)} ms`,
    )
  },
)

const ENTRIES = 120

/** The numbers of entries after which a process is killed or stopped, and after which Redis is restarted. */
const KILLS = [10, 60, 80, 110]
const STOPS = [25, 95]
const RESTART = 40

/** Three processes behind a proxy. */
type Fleet = {
  port: number
  /** Kills the oldest process, and starts another one after that. */
  kill(): Promise<void>
  /** Starts another process, and stops the oldest one after that. */
  stop(): Promise<void>
}

async function startFleet(t: Tools, settings: ProcessSettings): Promise<Fleet> {
  const proxy = await startRoundRobin()
  t.atEnd(() => proxy.stop())
  const running: LearnerProcess[] = []
  let count = 0

  async function start(): Promise<void> {
    count += 1
    const process = await prepareProcess(t, `process ${count}`, launcher)
    proxy.add({ name: process.name, port: await process.start(settings) })
    running.push(process)
  }

  function takeOldest(): LearnerProcess {
    const process = running.shift()!
    proxy.remove(process.name)
    return process
  }

  for (let n = 0; n < 3; n += 1) await start()
  return {
    port: proxy.port,
    async kill() {
      await takeOldest().kill()
      await start()
    },
    async stop() {
      await start()
      const process = takeOldest()
      await process.stop()
      expect((await process.exited).code).toBe(0)
    },
  }
}

/** Follows the quakes with the client of lesson 6, and returns their IDs. It waits only a little before it reconnects. */
function learnersClient(t: Tools, port: number, onQuake: (id: string) => void): string[] {
  const left = new AbortController()
  t.atEnd(() => left.abort())
  const got: string[] = []
  const follow = async (): Promise<void> => {
    const options = { signal: left.signal, random: () => 0.01, onGap: () => void got.push('gap') }
    for await (const { id } of followQuakes(`http://127.0.0.1:${port}/events`, options)) {
      got.push(id)
      onQuake(id)
    }
  }
  void follow()
  return got
}

/** Runs a script with the tools of a check, for as long as it takes. */
async function play(script: (t: Tools) => Promise<void>): Promise<void> {
  const tools = toolbox(newTranscript(), BUDGET_TURNS)
  try {
    await tools.play(script)
  } finally {
    await tools.close()
  }
}

function redisLauncher(t: Tools): RedisLauncher {
  const { start, stop, restart, end } = gradersRedis()
  t.atEnd(end)
  return { startRedis: start, stopRedis: stop, restartRedis: restart }
}

async function until(holds: () => boolean): Promise<void> {
  await vi.waitUntil(holds, { timeout: 120_000, interval: 1 })
}

const BUDGET_TURNS = 100_000

/** Fewer moments than this would not be every moment. */
const FEWEST = 30
