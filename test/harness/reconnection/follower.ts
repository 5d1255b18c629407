import type { Quake } from '#feed'
import { followQuakes, type ConnectionState, type FollowOptions } from '#work/06-resume/client.ts'
import type { Tools } from '../check.ts'
import { turns } from '../event-loop.ts'
import { describeError, must, type Story } from '../failure.ts'
import { isNotWritten } from '../../../protocol/not-written.ts'
import { describeQuake } from '../quakes.ts'
import { scriptedServer, type ScriptedServer } from '../scripted-server.ts'
import { excerptJson } from '../transcript.ts'
import { instantClock, WATCHDOG_MS } from './controlled-clock.ts'
import { patientAbortController } from './patient-signal.ts'
import { mustHaveCursor, waitForRequest } from './requests.ts'

/** Options with which every wait ends immediately, for checks that do not test time. */
export const QUICK = { clock: instantClock, stallMs: WATCHDOG_MS }

export type Options = Omit<FollowOptions, 'signal'> & { server?: ScriptedServer }

/** Follows a scripted server until the script ends. */
export async function follow(t: Tools, { server, ...options }: Options = {}): Promise<Follower> {
  return new Follower(t, server ?? (await scriptedServer(t)), { ...QUICK, ...options })
}

/** The learner's client while it follows a server. */
export class Follower {
  readonly server: ScriptedServer
  readonly got: Quake[] = []
  readonly states: ConnectionState[] = []
  /** The number of quakes that had been yielded before each gap. */
  readonly gaps: number[] = []
  ended = false
  error: unknown
  readonly close: () => Promise<void>

  readonly #t: Tools
  readonly #abort = patientAbortController()
  /** Whether the script allows the loop to end. */
  #mayEnd = false
  /** The number of quakes that `delivers()` has sent. */
  #sent = 0

  constructor(t: Tools, server: ScriptedServer, options: Omit<FollowOptions, 'signal'>) {
    this.server = server
    this.#t = t
    t.transcript.step('followQuakes() is called')
    const reading = this.#read(options)
    reading.then(() => this.#mustGoOn()).catch(t.abort)
    this.close = async () => {
      this.#mayEnd = true
      this.#abort.abort()
      // Do not wait for a loop that ignores the signal, because another check tests that.
      await Promise.race([reading, turns()])
    }
    t.atEnd(this.close)
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  async #read(options: Omit<FollowOptions, 'signal'>): Promise<void> {
    const { step } = this.#t.transcript
    const onState = (state: ConnectionState): void => {
      this.states.push(state)
      if (state.name === 'waiting') step('the client waits')
    }
    const onGap = (): void => void this.gaps.push(this.got.length)
    const { signal } = this
    try {
      for await (const quake of followQuakes(this.server.url, {
        ...options,
        signal,
        onState,
        onGap,
      })) {
        this.got.push(quake)
        step(`the client yielded ${describeGiven(quake)}`)
      }
    } catch (error) {
      this.error = error
      if (!isNotWritten(error)) step(`followQuakes() threw ${describeError(error)}`)
    } finally {
      this.ended = true
    }
  }

  /** Throws if the loop has ended without permission, because later waits would fail without naming this cause. */
  #mustGoOn(): void {
    const { error } = this
    if (isNotWritten(error)) throw error
    must(this.#mayEnd, {
      seen: `followQuakes() ${error === undefined ? 'ended' : `threw ${describeError(error)}`}.`,
      expected:
        'Expected followQuakes() to reconnect. It should return only after 204 or an abort, and throw only after a 4xx other than 408 and 429, or after a 200 without an event stream.',
      ...(error === undefined && { often: 'your client returns when a connection is lost.' }),
    })
  }

  /** Allows the loop to end from now on. */
  mayEnd(): void {
    this.#mayEnd = true
  }

  abort(): void {
    this.#mayEnd = true
    this.#t.transcript.step('the signal aborts')
    this.#abort.abort()
  }

  /** Waits for the request with the given number. */
  requested = (count: number): Promise<void> => waitForRequest(this.#t, this.server, count)

  /** Checks that the request with the given number has the wanted Last-Event-ID. */
  hasCursor = (count: number, wanted: string | undefined, why?: string, often?: string): void =>
    mustHaveCursor(this.server, count, wanted, why, often)

  /** Sends a quake, and waits until the client yields it. Requires that `delivers()` has sent all quakes so far. */
  delivers = async (quake: Quake, id?: string): Promise<void> => {
    this.#sent += 1
    this.server.send(eventOf(quake, id))
    await this.#t.waitFor(() => this.got.length === this.#sent, notGiven(quake))
  }

  /** Waits for the request with the given number, and then for the state "open". */
  opens = async (count: number): Promise<void> => {
    await this.requested(count)
    await this.#t.waitFor(() => this.states.at(-1)?.name === 'open', {
      seen: () =>
        `The server answered request ${count}, but onState() was called with ${this.states.map(({ name }) => name).join(', ') || 'nothing'}.`,
      expected: 'Expected onState() to be called with "open" after the head has arrived.',
    })
  }

  /** Waits until the loop over the quakes has ended, and checks that it ended without an error. */
  ends = async (when: string): Promise<void> => {
    await this.#t.waitFor(() => this.ended, {
      seen: `${when}, but the loop over the quakes continued.`,
      expected: 'Expected the loop to end.',
    })
    must(this.error === undefined, {
      seen: `${when}, but followQuakes() threw ${describeError(this.error)}`,
      expected: 'Expected followQuakes() to return without an error.',
    })
  }
}

/** Describes a yielded value, even if it is not a quake. */
function describeGiven(quake: Partial<Quake> | undefined): string {
  return typeof quake?.place === 'string' ? describeQuake(quake as Quake) : excerptJson(quake, 48)
}

/** Returns the event of a quake, as text for the wire. */
export function eventOf(quake: Quake, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(quake)}\n\n`
}

/** Returns the failure to report if the client does not yield a quake. */
export function notGiven(quake: Quake): Story {
  return {
    seen: `The server sent ${describeQuake(quake)}, but followQuakes() did not yield it.`,
    expected: 'Expected followQuakes() to yield that quake.',
  }
}
