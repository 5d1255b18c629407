import type { Entry } from '#work/09-scale-out/history.ts'
import { startRoundRobin } from '../../../wire/round-robin.ts'
import { must } from '../failure.ts'
import { numberedQuakes } from '../quakes.ts'
import type { Tools } from '../toolbox.ts'
import { partByPart } from '../one-part.ts'
import { drawLanes } from './lanes.ts'
import { killMoments, isReading } from './kill-moments.ts'
import { prepareProcess, type Launcher, type LearnerProcess } from './processes.ts'
import type { TestRedis } from './redis.ts'
import { tapRedis, type RedisTap } from './redis-tap.ts'
import { sharedLog } from './shared-log.ts'
import { mustHaveGot, streamClient } from './stream-client.ts'
import type { TapEvent } from './tap-events.ts'

/** Processes of the learner's server behind a proxy, which are stopped, killed and replaced, and two clients. */
export type Cluster = {
  /** Stops the processes one after another, each after its replacement has started, and adds entries all the while. */
  restartAll(): Promise<void>
  /**
   * Starts process B, lets a client move to it from process A, and adds entries. Kills process B at one moment of this run,
   * and checks that the clients get every entry.
   *
   * @returns the number of moments before process B was killed
   */
  killAt(plan: KillPlan): Promise<number>
}

export type KillPlan = {
  /** The number of the moment, from 0. Without it, process B is killed at the end of the run. */
  moment?: number
  /** The event at the tap, from 0, at which an entry is added while process B starts. */
  addAt?: number
  /** Returns whether an event at the tap is a moment. Each event of the response is one as well. */
  counts?: (event: TapEvent) => boolean
}

/** @param options what runs the processes, and the Redis that they share */
export async function startCluster(
  tools: Tools,
  { launcher, redis }: { launcher?: Launcher; redis?: TestRedis } = {},
): Promise<Cluster> {
  const t = partByPart(tools)
  const log = await sharedLog(t, redis)
  const proxy = await startRoundRobin((process) =>
    t.transcript.draw({ at: 'proxy', to: process, label: 'GET /events', isCall: true }),
  )
  t.atEnd(() => proxy.stop())
  const added: Entry[] = []
  const running: Member[] = []
  let count = 0

  async function add(): Promise<void> {
    added.push(await log.add({ ...numberedQuakes(1)[0]!, id: `m-${added.length}` }))
  }

  async function prepare(name = `process ${(count += 1)}`): Promise<Member> {
    return {
      process: await prepareProcess(t, name, launcher),
      tap: await tapRedis(t, log.redis, name),
    }
  }

  async function start(member: Member, when?: string): Promise<void> {
    const { process, tap } = member
    const port = await process.start({ redisUrl: tap.url, key: log.key }, when)
    proxy.add({ name: process.name, port })
    running.push(member)
  }

  function forget(member: Member): void {
    proxy.remove(member.process.name)
    const at = running.indexOf(member)
    if (at !== -1) running.splice(at, 1)
  }

  /** Leaves only one process, which no check kills. */
  async function leaveOne(): Promise<void> {
    if (running[0]?.process.name !== 'process A') {
      const member = await prepare('process A')
      await start(member)
      running.unshift(running.pop()!)
    }
    for (const other of running.slice(1)) {
      forget(other)
      await other.process.kill()
    }
  }

  async function mustAllGet(when: string): Promise<void> {
    for (const client of clients) await mustHaveGot(t, client, added, { when: `${when} ` })
  }

  await add()
  await start(await prepare())
  await start(await prepare())
  const clients = [1, 2].map((n) => streamClient(t, proxy.port, `client ${n}`))
  const [client] = clients as [(typeof clients)[number]]

  return {
    async restartAll() {
      await mustAllGet('Two processes were running.')
      for (const member of [...running]) {
        await start(await prepare())
        await add()
        forget(member)
        await member.process.stop()
        await add()
        const { code, signal, printed } = await t.withTimeout(member.process.exited, {
          seen: 'A process got SIGTERM, its stop() was called, and the process was still running.',
          expected: 'Expected the process to end by itself, because nothing is left running.',
        })
        must(code === 0, {
          seen: `A process got SIGTERM, and ended with ${signal ?? `the exit code ${code}`}. ${printed}`.trim(),
          expected: 'Expected stop() to resolve, and the process to end by itself.',
        })
        const { name } = member.process
        t.transcript.step(`${name} has ended`, { at: name, label: 'has ended' })
        await add()
        await mustAllGet(`In a rolling restart, ${member.process.name} was stopped.`)
      }
    },
    async killAt({ moment = Infinity, addAt = 0, counts = isReading }) {
      await leaveOne()
      t.startPart()
      drawLanes(t.transcript)
      const member = await prepare('process B')
      const { process, tap } = member
      const moments = killMoments(moment, async () => {
        forget(member)
        await process.kill()
        // The command or the reply at which it was killed goes nowhere.
        await t.waitFor(() => tap.openConnections === 0, {
          seen: 'A process was killed, and its connections to Redis stayed open.',
          expected: 'Expected the system to close them.',
        })
      })
      let reads = 0
      let addedAt = ''
      tap.onEvent(async (event) => {
        const when = momentOf(event)
        if (isReading(event) && reads++ === addAt) {
          await add()
          addedAt = ` An entry had been added ${when}, while process B started.`
        }
        if (when !== '' && counts(event)) await moments.reach(when)
      })

      client.pause()
      await add()
      let hasStarted = false
      const started = start(member).then(
        () => (hasStarted = true),
        (error: unknown) => {
          if (!moments.isKilled) throw error
        },
      )
      await Promise.race([started, moments.killed])
      await t.waitFor(() => addedAt !== '' || moments.isKilled, {
        seen: 'A process started, and its reader sent no XREAD to Redis.',
        expected: 'Expected a blocking read.',
      })
      proxy.prefer(process.name)
      client.arriving = moments.inResponse
      client.resume()
      const mustGetFromB = (): Promise<void> => mustAllGet(`Process B served client 1.${addedAt}`)
      for (let live = 0; live < LIVE_ENTRIES && !moments.isKilled; live += 1) {
        await Promise.race([mustGetFromB(), moments.killed])
        if (!moments.isKilled) await add()
      }
      if (!moments.isKilled) await mustGetFromB()
      await moments.killNow('after it had delivered every entry')
      client.arriving = ({ length }) => length
      const when = `Process B was killed ${moments.killedAt}.${addedAt}`
      await add()
      await mustAllGet(when)
      // Whatever a process leaves behind, the next one can start.
      if (!hasStarted) await start(await prepare('process C'), when)
      return moments.count
    },
  }
}

type Member = { process: LearnerProcess; tap: RedisTap }

/** The number of entries that are added while the client is connected to the process. */
const LIVE_ENTRIES = 2

/** Returns the moment of a command or a reply in words, or nothing for another event. */
function momentOf(event: TapEvent): string {
  if (event.kind === 'command') return `as it sent ${event.name}`
  return event.kind === 'reply' ? `as Redis answered its ${event.command.name}` : ''
}
