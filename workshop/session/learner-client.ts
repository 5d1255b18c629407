import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RuntimeMessage } from '../../protocol/runtime.ts'
import { runDirFor } from './run-dir.ts'
import { startLearnerProcess, type LearnerProcess } from '../runtime/learner-process.ts'
import { gapCounter } from '../runtime/gap-counter.ts'
import type { LearnerClientState } from '../../protocol/page.ts'
import type { LessonProgram } from './lesson-target.ts'

/** The client.ts of a lesson, running in a process of its own. */
export type LearnerClient = {
  readonly state: LearnerClientState
  /** Restarts the client if its source code has changed, or if it is waiting, because the server may be mended. */
  saved(): void
  restart(): void
  close(): Promise<void>
}

export type LearnerClientEvents = {
  /** Called when the state of the connection has changed, or the client has stopped. */
  follows(state: LearnerClientState): void
  /** Called when the client has printed a line to standard output or standard error. */
  clientPrinted(line: string): void
}

/**
 * Runs the client with the stream at `url`.
 *
 * @param options.standIn runs instead for as long as the program is not written yet
 * @param options.isFiltered whether the stream leaves quakes out, so that no quake can be called missing
 * @param options.perNetwork whether only the quakes of one network arrive in order
 * @param options.changed called after every change of the state
 */
export function runLearnerClient({
  program,
  standIn,
  url,
  isFiltered,
  perNetwork,
  events,
  changed,
}: {
  program: LessonProgram
  standIn?: LessonProgram | undefined
  url: string
  isFiltered: boolean
  perNetwork: boolean
  events: LearnerClientEvents
  changed(): void
}): LearnerClient {
  const { work, path } = program
  const runDir = runDirFor(work, path)
  let running: LearnerProcess
  let state = nothingFrom(program)
  let count = gapCounter({ perNetwork })
  let text = ''

  function nothingFrom({ file, isOwn }: LessonProgram): LearnerClientState {
    return {
      state: 'starting',
      ...(!isOwn && { file }),
      quakes: 0,
      ...(!isFiltered && { missed: 0 }),
      twice: 0,
      gaps: 0,
    }
  }

  async function start(): Promise<void> {
    text = textOf(join(work.folder, path))
    await run(program, () => runDir.folder())
  }

  async function run(runs: LessonProgram, folderOf: () => Promise<string>): Promise<void> {
    count = gapCounter({ perNetwork })
    state = nothingFrom(runs)
    const mine = startLearnerProcess()
    running = mine
    const folder = await folderOf()
    mine.run(
      { file: join(folder, 'client.ts'), url },
      {
        message: hear,
        printed: events.clientPrinted,
        ended: (how) => becomes('down', `client.ts exited (${how}).`),
      },
    )
  }

  function hear(message: RuntimeMessage): void {
    if (message.kind === 'quake') {
      const { quake } = message
      count.add(quake.id)
      const { missed, twice } = count
      const counts = { quakes: state.quakes + 1, ...(!isFiltered && { missed }), twice }
      state = { ...state, ...counts, newest: quake }
      changed()
    } else if (message.kind === 'gap') {
      state = { ...state, gaps: state.gaps + 1 }
      becomes(state.state, 'The server reported a gap: quakes may be missing.')
    } else if (message.kind === 'connection') {
      const { state: now } = message
      const what =
        now.name === 'waiting' ? `${now.why}; reconnecting in ${Math.round(now.ms)} ms` : undefined
      becomes(now.name, what)
    } else if (message.kind === 'not written') {
      running.kill()
      // The stand-in belongs to the solutions, which are always inside the workshop.
      if (standIn) void run(standIn, async () => join(standIn.work.folder, standIn.path))
      else becomes('not written', `Nothing to see yet: ${message.what}.`)
    } else if (message.kind === 'failed') {
      running.kill()
      becomes('down', message.thrown)
    }
  }

  function becomes(now: LearnerClientState['state'], what: string | undefined): void {
    const { what: _, ...rest } = state
    state = { ...rest, state: now, ...(what !== undefined && { what }) }
    changed()
    events.follows(state)
  }

  function restart(): void {
    running.kill()
    void start()
  }

  void start()
  return {
    get state() {
      return state
    },
    saved() {
      if (textOf(join(work.folder, path)) !== text || state.state === 'waiting') restart()
    },
    restart,
    async close() {
      running.kill()
      await runDir.remove()
    },
  }
}

/** Returns the source code of the client. */
function textOf(folder: string): string {
  return ['client.ts', 'read-events.ts']
    .map((name) => {
      try {
        return readFileSync(join(folder, name), 'utf8')
      } catch {
        return ''
      }
    })
    .join('\n')
}
