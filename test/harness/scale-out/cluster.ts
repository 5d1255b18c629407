import type { Entry } from '#work/09-scale-out/history.ts'
import { startRoundRobin } from '../../../wire/round-robin.ts'
import { must } from '../failure.ts'
import { numberedQuakes } from '../quakes.ts'
import type { Tools } from '../toolbox.ts'
import { startLearnerProcess, type LearnerProcess } from './processes.ts'
import { tapRedis, type RedisTap, type TapEvent } from './redis-tap.ts'
import { sharedLog } from './shared-log.ts'
import { mustHaveGot, streamClient, type StreamClient } from './stream-client.ts'

/** Two processes of the learner's server behind a proxy, which are stopped, killed and replaced. */
export type Cluster = {
  /** Connects a client to the proxy. */
  connect(name: string): StreamClient
  /** Stops the processes one after another, each after its replacement has started, and adds entries all the while. */
  restartAll(clients: StreamClient[]): Promise<void>
  /**
   * Starts a replacement, and adds an entry at one moment of its start. Then kills the process that serves the clients, at
   * one moment while it delivers another entry.
   *
   * @param moment the number of the moment, from 0
   */
  killAndReplace(moment: number, clients: StreamClient[]): Promise<void>
}

export async function startCluster(t: Tools): Promise<Cluster> {
  const log = await sharedLog(t)
  const proxy = await startRoundRobin()
  t.atEnd(() => proxy.stop())
  const added: Entry[] = []
  const running: Member[] = []
  let count = 0

  async function add(): Promise<void> {
    added.push(await log.add({ ...numberedQuakes(1)[0]!, id: `m-${added.length}` }))
  }

  /** Starts a process. @param onEvent called with each event at its tap */
  async function start(onEvent: (event: TapEvent) => unknown = () => {}): Promise<Member> {
    const tap = await tapRedis(t, log.redis)
    tap.onEvent(onEvent)
    count += 1
    const settings = { redisUrl: tap.url, key: log.key }
    const process = await startLearnerProcess(t, `process ${count}`, settings)
    proxy.add(process)
    const member = { process, tap }
    running.push(member)
    return member
  }

  async function mustAllGet(clients: StreamClient[], when: string): Promise<void> {
    for (const client of clients) await mustHaveGot(t, client, added, { when: `${when} ` })
  }

  await add()
  await start()
  await start()

  return {
    connect: (name) => streamClient(t, proxy.port, name),
    async restartAll(clients) {
      await mustAllGet(clients, 'Two processes were running.')
      for (const member of [...running]) {
        await start()
        await add()
        proxy.remove(member.process.name)
        running.splice(running.indexOf(member), 1)
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
        await mustAllGet(clients, `In a rolling restart, ${member.process.name} was stopped.`)
      }
    },
    async killAndReplace(moment, clients) {
      const [victim, ...others] = running
      for (const other of others.splice(0)) await retire(other)
      let startEvents = 0
      let addedAt = ''
      const replacement = await start(async (event) => {
        if (!isReading(event)) return
        startEvents += 1
        if (startEvents !== (moment % START_MOMENTS) + 1) return
        addedAt = ` An entry was added ${momentOf(event)}, while ${`process ${count}`} started.`
        await add()
      })
      await t.waitFor(() => addedAt !== '', {
        seen: 'A process started, and its reader sent no XREAD to Redis.',
        expected: 'Expected a blocking read.',
      })
      proxy.prefer(replacement.process.name)
      const killedAt = await killAt(victim!, moment, clients)
      await add()
      await mustAllGet(clients, `${victim!.process.name} was killed ${killedAt}.${addedAt}`)
    },
  }

  /** Stops a process that is no longer needed. */
  async function retire(member: Member): Promise<void> {
    proxy.remove(member.process.name)
    running.splice(running.indexOf(member), 1)
    await member.process.kill()
  }

  /** Adds an entry, and kills a process at one moment while it delivers that entry. Returns the moment, in words. */
  async function killAt(
    { process, tap }: Member,
    moment: number,
    clients: StreamClient[],
  ): Promise<string> {
    let killed: Promise<void> | undefined
    let killedAt = 'after it had delivered an entry'
    const kill = (at: string): Promise<void> => {
      if (!killed) killedAt = at
      proxy.remove(process.name)
      return (killed ??= process.kill())
    }
    let seen = 0
    tap.onEvent(async (event) => {
      if (!isReading(event)) return
      if (seen === moment) await kill(momentOf(event))
      seen += 1
    })
    const [client] = clients
    const onBytes = client!.onBytes
    if (moment >= TAP_MOMENTS) {
      client!.onBytes = () => void kill('right after a client had received bytes')
    }
    await add()
    for (const each of clients) {
      await t.waitFor(() => killed !== undefined || each.got.length >= added.length, {
        seen: `An entry was added, and it did not reach ${each.name}.`,
        expected: 'Expected the entry to arrive.',
      })
    }
    await kill(killedAt)
    client!.onBytes = onBytes
    running.splice(
      running.findIndex((member) => member.process === process),
      1,
    )
    return killedAt
  }
}

type Member = { process: LearnerProcess; tap: RedisTap }

/** The number of moments while a process starts: its first reads and their replies. */
const START_MOMENTS = 3

/** The number of moments at the tap while a process delivers an entry. After these, bytes reach the clients. */
const TAP_MOMENTS = 4

function isReading(event: TapEvent): boolean {
  const command =
    event.kind === 'command' ? event : event.kind === 'reply' ? event.command : undefined
  return command !== undefined && /^X/.test(command.name)
}

function momentOf(event: TapEvent): string {
  if (event.kind === 'command') return `as it sent ${event.name}`
  return event.kind === 'reply' ? `as Redis answered its ${event.command.name}` : event.kind
}
