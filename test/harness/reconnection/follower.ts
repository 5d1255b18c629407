import type { Quake } from '#feed'
import type { Tools } from '../check.ts'
import { turns } from '../event-loop.ts'
import { describeError, must, type Story } from '../failure.ts'
import { isNotWritten } from '../../../protocol/not-written.ts'
import type { ConnectionState } from '../../../protocol/runtime.ts'
import type { ScriptedServer } from '../scripted-server.ts'
import { patientAbortController } from './patient-signal.ts'
import { mustHaveCursor, waitForRequest } from './requests.ts'

/** A learner's client, for a follower that knows only what all clients have in common. */
export type Client<Item> = {
  /** The name of the function in messages: `followQuakes()`. */
  name: string
  /** Says when the client should reconnect, and when it may end. */
  endsOnly: string
  start(url: string, listening: Listening): AsyncIterable<Item>
  /** Returns the text with which a server sends a quake. */
  textOf(quake: Quake, id?: string): string
  /** Describes a yielded value, even if it is not an item. */
  describe(item: Item | undefined): string
  notGiven(quake: Quake): Story
}

type Listening = { signal: AbortSignal; onState(state: ConnectionState): void; onGap(): void }

/** The learner's client while it follows a server. */
export class Follower<Item> {
  readonly server: ScriptedServer
  readonly got: Item[] = []
  readonly states: ConnectionState[] = []
  /** The number of items that had been yielded before each gap. */
  readonly gaps: number[] = []
  ended = false
  error: unknown
  readonly close: () => Promise<void>

  readonly #t: Tools
  readonly #client: Client<Item>
  readonly #abort = patientAbortController()
  /** Whether the script allows the loop to end. */
  #mayEnd = false
  /** The number of quakes that `delivers()` has sent. */
  #sent = 0

  constructor(t: Tools, server: ScriptedServer, client: Client<Item>) {
    this.server = server
    this.#t = t
    this.#client = client
    t.transcript.step(`${client.name} is called`)
    const reading = this.#read()
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

  async #read(): Promise<void> {
    const { step } = this.#t.transcript
    const { name, start, describe } = this.#client
    const onState = (state: ConnectionState): void => {
      this.states.push(state)
      if (state.name === 'waiting') step('the client waits')
    }
    const onGap = (): void => void this.gaps.push(this.got.length)
    try {
      for await (const item of start(this.server.url, { signal: this.signal, onState, onGap })) {
        this.got.push(item)
        step(`the client yielded ${describe(item)}`)
      }
    } catch (error) {
      this.error = error
      if (!isNotWritten(error)) step(`${name} threw ${describeError(error)}`)
    } finally {
      this.ended = true
    }
  }

  /** Throws if the loop has ended without permission, because later waits would fail without naming this cause. */
  #mustGoOn(): void {
    const { error } = this
    if (isNotWritten(error)) throw error
    must(this.#mayEnd, {
      seen: `${this.#client.name} ${error === undefined ? 'ended' : `threw ${describeError(error)}`}.`,
      expected: this.#client.endsOnly,
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
    const { textOf, notGiven } = this.#client
    this.server.send(textOf(quake, id))
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
      seen: `${when}, but ${this.#client.name} threw ${describeError(this.error)}`,
      expected: `Expected ${this.#client.name} to return without an error.`,
    })
  }
}
