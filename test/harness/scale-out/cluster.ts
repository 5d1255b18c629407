import type { Entry } from '#work/09-scale-out/history.ts'
import { startRoundRobin } from '../../../wire/round-robin.ts'
import { must } from '../failure.ts'
import { numberedQuakes } from '../quakes.ts'
import type { Tools } from '../toolbox.ts'
import { killMoments, isReading } from './kill-moments.ts'
import { prepareProcess, type Launcher, type LearnerProcess } from './processes.ts'
import type { TestRedis } from './redis.ts'
import { tapRedis, type RedisTap, type TapEvent } from './redis-tap.ts'
import { sharedLog } from './shared-log.ts'
import { mustHaveGot, streamClient } from './stream-client.ts'

/** Processes of the learner's server behind a proxy, which are stopped, killed and replaced, and two clients. */
export type Cluster = {
  /** Stops the processes one after another, each after its replacement has started, and adds entries all the while. */
  restartAll(): Promise<void>
  /**
   * Starts a process, lets a client reconnect to it, and adds entries. Kills the process at one moment of this run, and
   * checks that the clients get every entry.
   *
   * @param moment the number of the moment, from 0. After the last moment, the process is killed at the end of the run
   * @param counts the events at the tap that count as moments. Each event of the response counts as well
   * @returns the number of moments before the process was killed
   */
  killAt(moment: number, counts?: (event: TapEvent) => boolean): Promise<number>
}

/** @param options what runs the processes, and the Redis that they share */
export async function startCluster(
  t: Tools,
  { launcher, redis }: { launcher?: Launcher; redis?: TestRedis } = {},
): Promise<Cluster> {
  const log = await sharedLog(t, redis)
  const proxy = await startRoundRobin()
  t.atEnd(() => proxy.stop())
  const added: Entry[] = []
  const running: Member[] = []
  let count = 0
  let runs = 0
  /** What the last kill was, as a sentence. */
  let killed = ''

  async function add(): Promise<void> {
    added.push(await log.add({ ...numberedQuakes(1)[0]!, id: `m-${added.length}` }))
  }

  async function prepare(): Promise<Member> {
    count += 1
    return {
      process: await prepareProcess(t, `process ${count}`, launcher),
      tap: await tapRedis(t, log.redis),
    }
  }

  async function start(member: Member): Promise<void> {
    const { process, tap } = member
    const port = await process.start({ redisUrl: tap.url, key: log.key }, killed)
    proxy.add({ name: process.name, port })
    running.push(member)
  }

  function forget(member: Member): void {
    proxy.remove(member.process.name)
    const at = running.indexOf(member)
    if (at !== -1) running.splice(at, 1)
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
        t.transcript.step(`${member.process.name} has ended`)
        await add()
        await mustAllGet(`In a rolling restart, ${member.process.name} was stopped.`)
      }
    },
    async killAt(moment, counts = isReading) {
      // One process survives the kill.
      for (const other of running.slice(1)) {
        forget(other)
        await other.process.kill()
      }
      const member = await prepare()
      const { process, tap } = member
      const moments = killMoments(moment, async () => {
        forget(member)
        await process.kill()
      })
      const startMoment = runs % START_MOMENTS
      runs += 1
      let startEvents = 0
      let addedAt = ''
      tap.onEvent(async (event) => {
        if (isReading(event) && startEvents++ === startMoment) {
          await add()
          addedAt = ` An entry was added ${momentOf(event)}, while ${process.name} started.`
        }
        if (event.kind === 'command' || event.kind === 'reply') {
          if (counts(event)) await moments.reach(momentOf(event))
        }
      })

      client.pause()
      await add()
      const started = start(member).catch((error: unknown) => {
        if (!moments.isKilled) throw error
      })
      await Promise.race([started, moments.killed])
      if (!moments.isKilled) {
        await t.waitFor(() => addedAt !== '' || moments.isKilled, {
          seen: 'A process started, and its reader sent no XREAD to Redis.',
          expected: 'Expected a blocking read.',
        })
      }
      proxy.prefer(process.name)
      client.arriving = moments.inResponse
      client.resume()
      for (let live = 0; live < LIVE_ENTRIES && !moments.isKilled; live += 1) {
        await Promise.race([mustAllGet(`${process.name} had started.${addedAt}`), moments.killed])
        if (!moments.isKilled) await add()
      }
      if (!moments.isKilled) await mustAllGet(`${process.name} had started.${addedAt}`)
      await moments.killNow('after it had delivered every entry')
      client.arriving = ({ length }) => length
      killed = `${process.name} was killed ${moments.killedAt}.${addedAt}`
      await add()
      await mustAllGet(killed)
      return moments.count
    },
  }
}

type Member = { process: LearnerProcess; tap: RedisTap }

/** The number of moments while a process starts, at which an entry is added: its first reads and their replies. */
const START_MOMENTS = 3

/** The number of entries that are added while the client is connected to the process. */
const LIVE_ENTRIES = 2

function momentOf(event: TapEvent): string {
  if (event.kind === 'command') return `as it sent ${event.name}`
  return event.kind === 'reply' ? `as Redis answered its ${event.command.name}` : event.kind
}
