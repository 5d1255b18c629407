import { join } from 'node:path'
import type { ProcessesState } from '../../protocol/page.ts'
import type { RuntimeMessage } from '../../protocol/runtime.ts'
import { redisConnection } from '../../wire/redis-connection.ts'
import type { Connecting, Destination } from '../../wire/tap.ts'
import { startLearnerProcess, type LearnerProcess } from './learner-process.ts'
import { startSessionRedis, type SessionRedis } from './session-redis.ts'
import { recordedWeek } from './week.ts'

/** Several processes of a learner's server, which share a history in Redis. A publisher appends to that history. */
export type LearnerCluster = {
  readonly state: ProcessesState
  /** Chooses the next running process for a connection. Waits if no process is running yet. */
  destination(connecting: Connecting): Promise<Destination>
  /** Call this when a connection has been closed. */
  closed(connection: number): void
  /** Returns the process that serves a client. @param clientPort the client's own port */
  processOf(clientPort: number): string | undefined
  /** Kills all processes, and runs the current version of the files. */
  restart(): void
  /** Kills a process with SIGKILL, and restarts it after some seconds. Returns false if it is not running. */
  kill(name: string): boolean
  /** Stops and restarts the processes one after the other. Returns false if that is already happening. */
  roll(): boolean
  /** Cuts the processes off from Redis, or connects them again. The publisher is not affected. */
  redisGoesAway(isAway: boolean): void
  /** Makes `count` earthquakes happen now. */
  burst(count: number): void
  stop(): Promise<void>
}

export type ClusterEvents = {
  changed(state: ProcessesState): void
  /** Called when Redis has started. */
  redis(isReal: boolean): void
  /** Called when a process is running, after none was. */
  running(): void
  notWritten(what: string): void
  /** Called when a process cannot be run, or has crashed. */
  down(what: string, detail: string): void
  /** Called with each line that a process prints. */
  printed(line: string): void
  /** Called when a connection has been passed to a process. */
  routed(connection: number, name: string): void
  /** Called when a process restarts after it was killed or stopped. */
  restarting(name: string): void
}

/**
 * Runs the processes.
 *
 * @param options.name the name of the file in messages: `lessons/09-scale-out/process.ts`
 * @param options.folder prepares the folder that contains the file, and returns its path
 */
export function startLearnerCluster({
  name: fileName,
  folder,
  events,
}: {
  name: string
  folder(): Promise<string>
  events: ClusterEvents
}): LearnerCluster {
  const members: Member[] = NAMES.map((name) => ({ name, state: 'starting', served: new Map() }))
  const publisher = new AbortController()
  const week = recordedWeek()
  let redis: SessionRedis | undefined
  let isAway = false
  let isRolling = false
  let next = 0
  /** The reason why no process can run, until the next start. */
  let problem: string | undefined
  let wake = (): void => {}
  let change = nextChange()

  const hasRedis = startSessionRedis().then((started) => {
    redis = started
    void publish(started.port)
    events.redis(started.isReal)
    changed()
    return started
  })

  function nextChange(): Promise<void> {
    return new Promise((resolve) => {
      wake = resolve
    })
  }

  function changed(): void {
    wake()
    change = nextChange()
    events.changed(stateNow())
  }

  function stateNow(): ProcessesState {
    return {
      ...(redis && { isRealRedis: redis.isReal }),
      isRedisAway: isAway,
      isRolling,
      processes: members.map(({ name, state, served }) => ({ name, state, clients: served.size })),
    }
  }

  /** Appends the recorded earthquakes to the stream. */
  async function publish(port: number): Promise<void> {
    const connection = redisConnection(port)
    publisher.signal.addEventListener('abort', connection.close)
    for await (const quake of week.open(publisher.signal)) {
      const args = ['MAXLEN', '~', '1000', '*', 'quake', JSON.stringify(quake)]
      connection.command('XADD', 'quakes', ...args).catch(() => {})
    }
  }

  async function start(member: Member): Promise<void> {
    const process = startLearnerProcess()
    Object.assign(member, { process, state: 'starting' })
    delete member.port
    changed()
    const [{ portForProcesses }, runDir] = await Promise.all([hasRedis, folder()])
    process.run(
      { file: join(runDir, 'process.ts'), redisUrl: `redis://127.0.0.1:${portForProcesses}` },
      {
        message: (message) => hear(member, message),
        printed: (line) => events.printed(`${member.name}: ${line}`),
        ended: (how) => ended(member, how),
      },
    )
  }

  function hear(member: Member, message: RuntimeMessage): void {
    if (message.kind === 'running') {
      const isFirst = !members.some(({ state }) => state === 'running')
      problem = undefined
      Object.assign(member, { state: 'running', port: message.port })
      changed()
      if (isFirst) events.running()
    } else if (message.kind === 'not written') {
      giveUp(member, `Nothing to see yet: ${message.what}.`)
      events.notWritten(message.what)
    } else if (message.kind === 'failed') {
      const what = message.when === 'loading' ? 'could not be started' : 'crashed'
      giveUp(member, `${fileName} ${what}.`)
      events.down(`${fileName} ${what}.`, message.thrown)
    }
  }

  /** Leaves a process down until the next save, because it would fail again. */
  function giveUp(member: Member, why: string): void {
    end(member)
    problem = why
    changed()
  }

  function ended(member: Member, how: string): void {
    if (member.state === 'stopping') {
      member.stopped?.()
      return
    }
    giveUp(member, `${fileName} ended by itself (${how}).`)
    events.down(`${fileName} ended by itself (${how}).`, '')
  }

  function end(member: Member): void {
    clearTimeout(member.revival)
    member.process?.kill()
    member.state = 'down'
    member.stopped?.()
  }

  /** Stops a process as a rolling restart does, and resolves when it has ended. */
  async function stopMember(member: Member): Promise<void> {
    member.state = 'stopping'
    changed()
    const stopped = new Promise<void>((resolve) => {
      member.stopped = resolve
    })
    member.process?.tell({ stop: true })
    const killer = setTimeout(() => end(member), STOP_MS)
    await stopped
    clearTimeout(killer)
  }

  async function rollAll(): Promise<void> {
    isRolling = true
    for (const member of members) {
      if (member.state !== 'running') continue
      await stopMember(member)
      if (publisher.signal.aborted) return
      // A save has started it already.
      if (!isStarting(member)) {
        events.restarting(member.name)
        void start(member)
      }
      // The next process stops only when this one serves clients again.
      while (isStarting(member)) await change
    }
    isRolling = false
    changed()
  }

  function restart(): void {
    problem = undefined
    for (const member of members) {
      end(member)
      void start(member)
    }
  }

  /** Returns the next running process, and moves on. */
  function nextRunning(): Member | undefined {
    const inTurn = [...members.slice(next), ...members.slice(0, next)]
    const member = inTurn.find(({ state }) => state === 'running')
    if (member) next = (members.indexOf(member) + 1) % members.length
    return member
  }

  restart()
  return {
    get state() {
      return stateNow()
    },
    async destination({ connection, clientPort }) {
      for (;;) {
        const member = nextRunning()
        if (member) {
          member.served.set(connection, clientPort)
          events.routed(connection, member.name)
          changed()
          return { port: member.port! }
        }
        if (problem !== undefined) return { unavailable: problem }
        await change
      }
    },
    closed(connection) {
      if (members.some(({ served }) => served.delete(connection))) changed()
    },
    processOf(clientPort) {
      return members.find(({ served }) => [...served.values()].includes(clientPort))?.name
    },
    restart,
    kill(name) {
      const member = members.find((each) => each.name === name)
      if (member?.state !== 'running') return false
      end(member)
      changed()
      member.revival = setTimeout(() => {
        events.restarting(name)
        void start(member)
      }, DOWN_MS)
      return true
    },
    roll() {
      if (isRolling) return false
      void rollAll()
      return true
    },
    redisGoesAway(on) {
      isAway = on
      redis?.goAway(on)
      changed()
    },
    burst: (count) => week.burst(count),
    async stop() {
      publisher.abort()
      problem = 'The lesson has ended.'
      for (const member of members) end(member)
      wake()
      await (await hasRedis).stop()
    },
  }
}

function isStarting({ state }: Member): boolean {
  return state === 'starting'
}

type Member = {
  name: string
  state: ProcessesState['processes'][number]['state']
  /** The clients' ports, by the number of their connection. */
  served: Map<number, number | undefined>
  process?: LearnerProcess
  port?: number
  /** The timer of the restart after a kill. */
  revival?: NodeJS.Timeout
  /** Called when a process that was told to stop has ended. */
  stopped?: () => void
}

const NAMES = ['process 1', 'process 2', 'process 3']

const DOWN_MS = 3000

/** How long a process may take to stop, which is longer than the grace that it gives to its clients. */
const STOP_MS = 10_000
