import type { Action, Answer, ProcessesState, ServerState } from '../../protocol/page.ts'
import { startLearnerCluster, type LearnerCluster } from '../runtime/learner-cluster.ts'
import type { LessonServer, LessonServerEvents } from './lesson-server.ts'
import { serverOf, type LessonTarget } from './lesson-target.ts'
import { runDirFor } from './run-dir.ts'

/** The server of a lesson that runs in several processes. */
export type LessonProcesses = LessonServer & {
  /** Resolves when a process is running, or when none can run. */
  readonly isReady: Promise<unknown>
  readonly processes: ProcessControl
}

/** What the page and the terminal show of the processes, and can do with them. */
export type ProcessControl = Pick<LearnerCluster, 'closed' | 'processOf'> & {
  readonly state: ProcessesState
  /** Performs an action. Returns undefined for an action that does not belong to the processes. */
  act(action: Action): Answer | undefined
}

/**
 * Runs the processes of a lesson.
 *
 * @param options.changed called after every change of the server's state or of the processes
 * @param options.note adds a note to the wire
 */
export function runProcesses({
  target,
  events,
  changed,
  note,
}: {
  target: LessonTarget
  events: LessonServerEvents
  changed(slice: 'server' | 'processes'): void
  note(text: string): void
}): LessonProcesses {
  const { work, path, file } = serverOf(target)
  const runDir = runDirFor(work, path)
  const state: ServerState = { state: 'starting', url: '', printed: [] }

  let sayReady = (): void => {}
  const isReady = new Promise<void>((resolve) => {
    sayReady = resolve
  })
  const cluster = startLearnerCluster({
    name: file,
    folder: runDir.folder,
    events: {
      changed({ processes }) {
        state.readers = processes.reduce((sum, { clients }) => sum + clients, 0)
        changed('server')
        changed('processes')
      },
      running() {
        becomes('running')
        events.running()
      },
      notWritten(what) {
        // Each process says the same.
        if (state.state === 'not written' && state.what === what) return
        becomes('not written', what)
        events.notWritten(what)
      },
      down(what, detail) {
        if (state.state === 'down' && state.what === what) return
        becomes('down', what, detail)
        events.down(what, detail)
      },
      printed(line) {
        state.printed = [...state.printed, line].slice(-MOST_LINES)
        changed('server')
        events.printed(line)
      },
      routed(connection, name) {
        note(`Connection ${connection} goes to ${name}`)
        events.routed?.(connection, name)
      },
      redis: (isReal) => events.redis?.(isReal),
      restarting: (name) => note(`Restarting ${name}`),
    },
  })

  function becomes(now: ServerState['state'], what?: string, detail?: string): void {
    state.state = now
    state.what = what
    state.detail = detail
    if (now !== 'starting') sayReady()
    changed('server')
  }

  function kill(name: string): boolean {
    if (!cluster.kill(name)) return false
    note(`Killed ${name}`)
    events.killed(name)
    return true
  }

  function act(action: Action): Answer | undefined {
    if (action.do === 'kill process') {
      if (!kill(action.name)) return { problem: `${action.name} is not running.` }
      return { said: `Killed ${action.name}. It restarts automatically.` }
    }
    if (action.do === 'restart processes') {
      if (!cluster.roll()) return { problem: 'The processes are already restarting.' }
      const said = 'Restarting the processes one after the other'
      note(said)
      return { said: `${said}.` }
    }
    if (action.do === 'redis') {
      cluster.redisGoesAway(action.isAway)
      const said = action.isAway ? 'Redis is away: the processes cannot reach it' : 'Redis is back'
      note(said)
      return { said: `${said}.` }
    }
    return undefined
  }

  return {
    file,
    state,
    burst: cluster.burst,
    // Only the lesson about slow readers fills buffers.
    fillBuffers() {},
    // The processes that are left serve the clients during a restart.
    warmUp() {},
    isReady,
    destination: cluster.destination,
    restart() {
      becomes('starting')
      cluster.restart()
    },
    kill() {
      // Kill the process with the most clients, because its end is the most visible.
      const [busiest] = cluster.state.processes
        .filter((each) => each.state === 'running')
        .toSorted((one, other) => other.clients - one.clients)
      return busiest !== undefined && kill(busiest.name)
    },
    async stop() {
      await cluster.stop()
      await runDir.remove()
    },
    processes: {
      get state() {
        return cluster.state
      },
      closed: cluster.closed,
      processOf: cluster.processOf,
      act,
    },
  }
}

/** The number of the last lines that the processes printed to keep, which is enough for the page. */
const MOST_LINES = 100
