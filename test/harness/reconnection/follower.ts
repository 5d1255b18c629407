import type { Quake } from '#feed'
import {
  followQuakes,
  type ConnectionState,
  type FollowOptions,
} from '#work/05-reconnection/client.ts'
import type { Tools } from '../check.ts'
import { turns } from '../event-loop.ts'
import { describeError, must } from '../failure.ts'
import { isNotWritten } from '../not-written.ts'
import { describeQuake } from '../quakes.ts'
import { excerpt } from '../transcript.ts'

/** The client of the work, which follows a stream until the script ends. */
export type Follower = {
  readonly got: readonly Quake[]
  readonly states: readonly ConnectionState[]
  /** Of each gap, how many quakes had been given. */
  readonly gaps: readonly number[]
  readonly ended: boolean
  readonly error: unknown
  readonly signal: AbortSignal
  /** What the script does now may end it. */
  mayEnd(): void
  abort(): void
  /** Ends it before the script does. */
  close(): Promise<void>
}

export function runFollower(
  t: Tools,
  url: string,
  options: Omit<FollowOptions, 'signal'>,
): Follower {
  const abort = new AbortController()
  const { signal } = abort
  const got: Quake[] = []
  const states: ConnectionState[] = []
  const gaps: number[] = []
  let error: unknown
  let ended = false
  let mayEnd = false

  async function read(): Promise<void> {
    try {
      for await (const quake of followQuakes(url, { ...options, signal, onState, onGap })) {
        got.push(quake)
        t.transcript.step(`client gave ${describeGiven(quake)}`)
      }
    } catch (thrown) {
      error = thrown
      if (!isNotWritten(thrown)) t.transcript.step(`followQuakes() threw ${describeError(thrown)}`)
    } finally {
      ended = true
    }
  }

  function onState(state: ConnectionState): void {
    states.push(state)
    if (state.name === 'waiting') t.transcript.step('client waits')
  }

  function onGap(): void {
    gaps.push(got.length)
  }

  /** Whoever waits for something would wait in vain when it has ended. A stub says so itself. */
  function mustGoOn(): void {
    if (isNotWritten(error)) throw error
    must(mayEnd, {
      seen: `followQuakes() ${error === undefined ? 'ended' : `threw ${describeError(error)}`}.`,
      expected:
        'Expected it to go on. It ends at 204, when the signal aborts, and when it is refused: a status of 400 to 499 but 408 and 429, or no event stream.',
      ...(error === undefined && { often: 'a lost connection is taken for the end.' }),
    })
  }

  t.transcript.step('followQuakes() is called')
  const reading = read()
  reading.then(mustGoOn).catch(t.abort)

  async function close(): Promise<void> {
    mayEnd = true
    abort.abort()
    // A loop that does not heed the signal is another check's matter.
    await Promise.race([reading, turns()])
  }
  t.atEnd(close)

  return {
    got,
    states,
    gaps,
    get ended() {
      return ended
    },
    get error() {
      return error
    },
    signal,
    mayEnd() {
      mayEnd = true
    },
    abort() {
      mayEnd = true
      t.transcript.step('the signal aborts')
      abort.abort()
    },
    close,
  }
}

/** Of whatever was given for a quake. */
function describeGiven(quake: Partial<Quake> | undefined): string {
  if (typeof quake?.place === 'string') return describeQuake(quake as Quake)
  return excerpt(JSON.stringify(quake) ?? 'undefined', 48)
}
