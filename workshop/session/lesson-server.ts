import type { ServerState } from '../../protocol/page.ts'
import type { Destination } from '../../wire/tap.ts'
import {
  startLearnerServer,
  type LearnerServer,
  type ServerEvents,
} from '../runtime/learner-server.ts'
import { serverOf, type LessonTarget } from './lesson-target.ts'
import { runDirFor } from './run-dir.ts'

/** The server of a lesson, and what the page shows of it. */
export type LessonServer = Pick<LearnerServer, 'burst' | 'warmUp'> & {
  /** As messages call it: `lessons/01-raw-chunks/server.ts`. */
  readonly file: string
  readonly state: ServerState
  /** Where it is, as soon as that is known. */
  destination(): Promise<Destination>
  /** Ends it, whatever it does, and runs the file as it is now. */
  restart(): void
  /** Ends it; after `DOWN_MS` it is back. False when it did not run. */
  kill(): boolean
  /** Ends it for good. */
  stop(): Promise<void>
}

export type LessonServerEvents = ServerEvents & {
  /** Somebody on the page wanted it. */
  killed(): void
}

/**
 * Runs it.
 *
 * @param options.changed called whenever the state has changed
 * @param options.note tells on the wire what the workshop did
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
  /** Runs while the server is killed. */
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
        // Of a program that has been killed meanwhile.
        if (state.state !== 'running') return
        state.leaks = leaks
        changed()
        events.leaks(leaks)
      },
    },
  })

  function becomes(now: ServerState['state'], what?: string, detail?: string): void {
    state.state = now
    state.what = what
    state.detail = detail
    // What a program had running has ended with it.
    if (now !== 'running') delete state.leaks
    changed()
  }

  function restart(): void {
    clearTimeout(revival)
    revival = undefined
    delete state.readers
    server.restart()
    becomes('starting')
  }

  return {
    file,
    state,
    burst: server.burst,
    warmUp: server.warmUp,
    destination: async () => (revival ? 'nobody' : server.destination()),
    restart,
    kill() {
      if (state.state !== 'running') return false
      server.stop()
      revival = setTimeout(() => {
        note('The server starts again')
        restart()
      }, DOWN_MS)
      note('The server is killed')
      becomes('down', `It was killed, and comes back after ${DOWN_MS / 1000} seconds.`)
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

/** Of what the server prints: for a page, not for a file. */
const MOST_LINES = 100
