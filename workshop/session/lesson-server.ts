import type { ServerState } from '../../protocol/page.ts'
import type { Connecting, Destination } from '../../wire/tap.ts'
import {
  startLearnerServer,
  type LearnerServer,
  type ServerEvents,
} from '../runtime/learner-server.ts'
import { serverOf, type LessonTarget } from './lesson-target.ts'
import { runDirFor } from './run-dir.ts'

/** A lesson's server, with the state that the page shows. */
export type LessonServer = Pick<LearnerServer, 'burst' | 'fillBuffers' | 'warmUp'> & {
  /** The name of the file in messages: `lessons/01-raw-chunks/server.ts`. */
  readonly file: string
  readonly state: ServerState
  /** Resolves with the address of the server when it is known. */
  destination(connecting?: Connecting): Promise<Destination>
  /** Kills the server, whatever it is doing, and then runs the current version of the file. */
  restart(): void
  /** Kills the server and restarts it after `DOWN_MS`. Returns false if it was not running. */
  kill(): boolean
  /** Kills the server permanently. */
  stop(): Promise<void>
}

export type LessonServerEvents = ServerEvents & {
  /** Called when the server, or the process with this name, has been killed on request. */
  killed(process?: string): void
  /** Called when the Redis of a lesson with several processes has started. */
  redis?(isReal: boolean): void
  /** Called when a connection has been passed to one of several processes. */
  routed?(connection: number, process: string): void
}

/**
 * Runs a lesson's server.
 *
 * @param options.changed called after every change of the state
 * @param options.note adds a note to the wire
 */
export function runServer({
  target,
  events,
  changed,
  note,
}: {
  target: LessonTarget
  events: LessonServerEvents
  changed(): void
  note(text: string): void
}): LessonServer {
  const { work, path, file, isOwn } = serverOf(target)
  const runDir = runDirFor(work, path)
  const state: ServerState = {
    state: 'starting',
    ...(!isOwn && { file }),
    url: '',
    printed: [],
  }
  /** The timer of the restart, which is set while the server is down after a kill. */
  let revival: NodeJS.Timeout | undefined

  const server = startLearnerServer({
    name: file,
    folder: runDir.folder,
    countLeaks: target.isExhibit,
    events: {
      running() {
        becomes('running')
        events.running()
      },
      down(what, detail) {
        becomes('down', what, detail)
        events.down(what, detail)
      },
      notWritten(what) {
        becomes('not written', what)
        events.notWritten(what)
      },
      printed(line) {
        state.printed = [...state.printed, line].slice(-MOST_LINES)
        changed()
        events.printed(line)
      },
      feed(readers) {
        state.readers = readers
        changed()
        events.feed(readers)
      },
      leaks(leaks) {
        // Ignore the leaks of a program that has been killed in the meantime.
        if (state.state !== 'running') return
        state.leaks = leaks
        changed()
        events.leaks(leaks)
      },
      load: (load) => events.load?.(load),
      meter(meter) {
        state.meter = meter
        changed()
      },
    },
  })

  function becomes(now: ServerState['state'], what?: string, detail?: string): void {
    state.state = now
    state.what = what
    state.detail = detail
    // Everything that a program had running has ended together with the program.
    if (now !== 'running') delete state.leaks
    changed()
  }

  function restart(): void {
    clearTimeout(revival)
    revival = undefined
    delete state.readers
    delete state.meter
    server.restart()
    becomes('starting')
  }

  return {
    file,
    state,
    burst: server.burst,
    fillBuffers: server.fillBuffers,
    warmUp: server.warmUp,
    destination: async () => (revival ? 'nobody' : server.destination()),
    restart,
    kill() {
      if (state.state !== 'running') return false
      server.stop()
      revival = setTimeout(() => {
        note('Server restarting')
        restart()
      }, DOWN_MS)
      note('Server killed')
      becomes('down', `The server was killed. It restarts after ${DOWN_MS / 1000} seconds.`)
      events.killed()
      return true
    },
    async stop() {
      clearTimeout(revival)
      server.stop()
      await runDir.remove()
    },
  }
}

const DOWN_MS = 3000

/** The number of the server's last lines to keep, which is enough for the page. */
const MOST_LINES = 100
