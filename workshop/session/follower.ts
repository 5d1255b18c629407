import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Message } from '../demo/message.ts'
import { placeToRun } from '../demo/place.ts'
import { runner, type Runner } from '../demo/runner.ts'
import { tally } from '../demo/tally.ts'
import type { FollowerState } from '../page/state.ts'
import { pathOf, type Running } from './running.ts'

/** The client.ts of a lesson, in a process of its own. */
export type Follower = {
  readonly state: FollowerState
  /** Begins with a new process when the client's files have changed. */
  saved(): void
  close(): Promise<void>
}

export type FollowerEvents = {
  /** The connection is another now, or the client does not run. */
  follows(state: FollowerState): void
  /** A line of its standard output or its standard error. */
  clientPrinted(line: string): void
}

/**
 * Runs it on `url`.
 *
 * @param options.changed called whenever the state has changed
 */
export function runFollower({
  url,
  events,
  changed,
  ...running
}: Running & { url: string; events: FollowerEvents; changed(): void }): Follower {
  const { work } = running
  const path = pathOf(running)
  const place = placeToRun(work, path)
  let program: Runner
  let state: FollowerState = NOTHING_YET
  let count = tally()
  let text = ''

  async function start(): Promise<void> {
    text = textOf(join(work.folder, path))
    count = tally()
    state = NOTHING_YET
    const mine = runner()
    program = mine
    const folder = await place.folder()
    mine.run(
      { file: join(folder, 'client.ts'), url },
      {
        message: hear,
        printed: events.clientPrinted,
        ended: (how) => becomes('down', `client.ts ended by itself (${how}).`),
      },
    )
  }

  function hear(message: Message): void {
    if (message.kind === 'quake') {
      const { quake } = message
      count.add(quake.id)
      const { missed, twice } = count
      state = { ...state, quakes: state.quakes + 1, missed, twice, newest: quake }
      changed()
    } else if (message.kind === 'gap') {
      state = { ...state, gaps: state.gaps + 1 }
      becomes(state.state, 'Quakes may be missing here.')
    } else if (message.kind === 'connection') {
      const { state: now } = message
      const what =
        now.name === 'waiting' ? `${now.why}; it asks again in ${Math.round(now.ms)} ms` : undefined
      becomes(now.name, what)
    } else if (message.kind === 'not written') {
      program.kill()
      becomes('not written', `Nothing to see yet: ${message.what}.`)
    } else if (message.kind === 'failed') {
      program.kill()
      becomes('down', message.thrown)
    }
  }

  function becomes(now: FollowerState['state'], what: string | undefined): void {
    const { what: _, ...rest } = state
    state = { ...rest, state: now, ...(what !== undefined && { what }) }
    changed()
    events.follows(state)
  }

  void start()
  return {
    get state() {
      return state
    },
    saved() {
      if (textOf(join(work.folder, path)) === text) return
      program.kill()
      void start()
    },
    async close() {
      program.kill()
      await place.remove()
    },
  }
}

const NOTHING_YET: FollowerState = {
  state: 'starting',
  quakes: 0,
  missed: 0,
  twice: 0,
  gaps: 0,
}

/** What the client is made of. */
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
