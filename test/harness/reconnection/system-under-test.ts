import type { Quake } from '#feed'
import { followQuakes, type ConnectionState } from '#work/05-reconnection/client.ts'
import { createHistory, type History } from '#work/05-reconnection/history.ts'
import { createApp } from '#work/05-reconnection/server.ts'
import { tap, type Destination } from '../../../wire/tap.ts'
import type { Tools } from '../check.ts'
import { turns } from '../event-loop.ts'
import { describeError, Failure, must, type Story } from '../failure.ts'
import { isNotWritten } from '../../../protocol/not-written.ts'
import type { TestServer } from '../serve.ts'
import { excerpt, newTranscript, SILENT } from '../transcript.ts'
import { waiting, type Waiting } from '../waiting.ts'
import { blockableReads, type AnswerAs } from './blockable-reads.ts'
import { ControlledClock } from './controlled-clock.ts'
import { counted } from './leftovers.ts'
import { patientAbortController } from './patient-signal.ts'

/** What the client has been given: a quake, or word of a gap. And how many quakes had happened by then. */
export type Received = { id: string | 'gap'; happenedBefore: number }

/** What a client meets while the server is gone. */
export type FailedAttempt = 'nobody' | '503'

/** How many quakes the history keeps. */
export const HISTORY_CAPACITY = 4

type Options = {
  /** The quakes that may happen. */
  stock: Quake[]
  /** How long it waits in vain, see `waiting()`. */
  timeoutTurns?: number | undefined
}

/**
 * A history, a server, a client, and a hop between the two that makes trouble: all but the hop are the work's. Each
 * command returns when all that follows from it has happened.
 */
export class SystemUnderTest {
  /** What has been done and seen so far. */
  readonly transcript = newTranscript()
  /** The ids of the quakes, in order. */
  readonly happened: string[] = []
  readonly received: Received[] = []
  isStalled = false
  isConsuming = true

  readonly #tools: Pick<Tools, 'serve'>
  readonly #stock: Quake[]
  readonly #waiting: Waiting

  readonly #history = createHistory({ capacity: HISTORY_CAPACITY })
  readonly #reads = blockableReads((id) => this.#history.after(id))
  #readCount = 0

  #server!: TestServer
  #shutdown!: AbortController

  #hop!: Awaited<ReturnType<typeof tap>>
  #destination: Destination = 'nobody'
  #requests = 0
  /** The hop is to cut the connection, and has not yet. */
  #isToBeCut = false

  readonly #clock = new ControlledClock(SILENT)
  readonly #abort = patientAbortController()
  #state: ConnectionState['name'] | undefined
  #disconnects = 0
  /** What the client was given, and the transcript has not been told. */
  #unrecorded: string[] = []
  #wakeConsumer = (): void => {}
  #consuming: Promise<unknown> = Promise.resolve()
  /** The client has ended, by itself or with an error. */
  #ended: { error?: unknown } | undefined

  private constructor(tools: Pick<Tools, 'serve'>, { stock, timeoutTurns }: Options) {
    this.#tools = tools
    this.#stock = stock
    this.#waiting = waiting(this.transcript, timeoutTurns)
  }

  static async start(tools: Pick<Tools, 'serve'>, options: Options): Promise<SystemUnderTest> {
    const system = new SystemUnderTest(tools, options)
    await system.#startServer()
    await system.#startHop()
    return system
  }

  async #startServer(): Promise<void> {
    const history = this.#history
    const blockable: History = {
      get isOver() {
        return history.isOver
      },
      after: (id) => {
        this.#readCount += 1
        // A server that reads in a loop leaves no time for anything else.
        return this.#readCount > MAX_READS ? new Promise(() => {}) : this.#reads.read(id)
      },
      subscribe: (listener) => history.subscribe(listener),
    }
    this.#shutdown = patientAbortController()
    const options = { heartbeatMs: NEVER, shutdown: this.#shutdown.signal }
    this.#server = await this.#tools.serve(createApp(blockable, options))
    this.#destination = { port: this.#server.port }
  }

  async #startHop(): Promise<void> {
    this.#hop = await tap({
      port: 0,
      destination: async () => this.#destination,
      observer: {
        opened() {},
        closed() {},
        arrived: (_connection, { direction, hop, bytes }) => {
          if (direction !== 'request' || hop !== 'client') return
          this.#requests += 1
          const head = Buffer.from(bytes).toString('latin1')
          const cursor = /^last-event-id: *(.*)\r$/im.exec(head)?.[1]
          const tail = cursor === undefined ? '' : `, Last-Event-ID: ${excerpt(cursor)}`
          this.transcript.step(`client: GET /events${tail}`)
        },
      },
    })
  }

  /** The client comes for the first time. */
  async connect(): Promise<void> {
    this.#consuming = this.#consume().then(
      () => (this.#ended = {}),
      (error: unknown) => (this.#ended = { error }),
    )
    await this.#settle()
  }

  async #consume(): Promise<void> {
    const quakes = followQuakes(`http://127.0.0.1:${this.#hop.port}/events`, {
      signal: this.#abort.signal,
      clock: this.#clock,
      random: () => 0.5,
      stallMs: STALL_MS,
      onState: ({ name }) => {
        this.#state = name
        if (name === 'waiting') this.#disconnects += 1
      },
      onGap: () => this.#receive('gap'),
    })
    for await (const { id } of quakes) {
      this.#receive(id)
      if (!this.isConsuming) await new Promise<void>((wake) => (this.#wakeConsumer = wake))
    }
  }

  #receive(id: string): void {
    this.received.push({ id, happenedBefore: this.happened.length })
    this.#unrecorded.push(id === 'gap' ? 'a gap' : id)
  }

  // The commands

  async happen(count: number): Promise<void> {
    const { length } = this.happened
    const quakes = this.#stock.slice(length, length + count)
    const [first, last] = [quakes[0]!.id, quakes.at(-1)!.id]
    this.transcript.step(count === 1 ? `${first} happens` : `${first} to ${last} happen`)
    for (const quake of quakes) {
      this.happened.push(quake.id)
      this.#history.append(quake)
    }
    await this.#settle()
  }

  async cut(): Promise<void> {
    this.transcript.step('the connection is cut')
    this.#hop.faults.cut()
    await this.#waitForDisconnect('The connection was cut')
  }

  /** Cuts this connection when so many more bytes have reached the client; undefined takes that back. */
  cutAfter(bytes: number | undefined): void {
    this.#isToBeCut = bytes !== undefined
    if (this.#isToBeCut) {
      this.transcript.step(`the connection will be cut ${bytes} bytes from here`)
    }
    this.#hop.faults.cutAfter(bytes)
  }

  /** Lets the client come back until it stays. All trouble is over, so one return is enough; a few are allowed. */
  async stayConnected(): Promise<void> {
    for (let returns = 0; this.isDisconnected; returns += 1) {
      must(returns < MAX_RETURNS, {
        seen: `Nothing cut the connection any more, the client reconnected ${MAX_RETURNS} times, and it lost each connection.`,
        expected: 'Expected the client to reconnect, and the server to keep the connection open.',
      })
      await this.reconnect()
    }
  }

  /** The client has waited long enough. */
  async reconnect(): Promise<void> {
    this.#hop.faults.cutAfter(undefined)
    this.#isToBeCut = false
    await this.#attemptReconnect()
    await this.#settle()
  }

  /** The hop holds back what the server sends. */
  stall(): void {
    this.transcript.step('the connection stalls')
    this.isStalled = true
    this.#hop.faults.stall(true)
  }

  async unstall(): Promise<void> {
    this.transcript.step('the connection continues')
    this.isStalled = false
    this.#hop.faults.stall(false)
    await this.#settle()
  }

  /** The stall has been so long that the client's watchdog barks. */
  async expireWatchdog(): Promise<void> {
    this.transcript.step('the watchdog of the client fires')
    this.#clock.advance(STALL_MS)
    await this.#waitForDisconnect('Nothing reached the client for stallMs')
  }

  /** The server is gone, the client tries in vain so many times, and a new server has the same history. */
  async crash(attempts: FailedAttempt[]): Promise<void> {
    this.transcript.step('the server crashes')
    await this.#stopServer()
    for (const attempt of this.isConsuming ? attempts : []) {
      const isNobody = attempt === 'nobody'
      this.transcript.step(isNobody ? 'the connection is refused' : 'a proxy answers 503')
      this.#destination = isNobody ? 'nobody' : { unavailable: 'The server is gone.' }
      const before = this.#disconnects
      await this.#attemptReconnect()
      await this.#waitUntil(() => this.#disconnects > before && this.isDisconnected)
    }
    await this.#replaceServer()
  }

  /** The server sends its clients elsewhere. */
  async shutDown(): Promise<void> {
    this.transcript.step('the server is shut down')
    this.#shutdown.abort()
    // What a shutdown does is task 5.8. Here the server is gone in the end, whatever it has done.
    for (let n = 0; n < TURNS && !this.isDisconnected; n += 1) await this.#settleTurns()
    await this.#stopServer()
    await this.#replaceServer()
  }

  /** Whoever reads the quakes takes its time. */
  pauseConsumer(): void {
    this.transcript.step('the caller is slow from the next quake on')
    this.isConsuming = false
  }

  async resumeConsumer(): Promise<void> {
    this.transcript.step('the caller continues')
    this.isConsuming = true
    this.#wakeConsumer()
    await this.#settle()
  }

  /** Reading the history takes long. */
  blockHistory(answer: AnswerAs): void {
    this.transcript.step(`reading the history takes a while, and returns it ${answer}`)
    this.#reads.block(answer)
  }

  async unblockHistory(): Promise<void> {
    this.transcript.step('the history has been read')
    this.#reads.unblock()
    await this.#settle()
  }

  async close(): Promise<void> {
    this.#abort.abort()
    this.#wakeConsumer()
    this.#reads.unblock()
    await this.#hop.close()
    await this.#server.close()
    await Promise.race([this.#consuming, turns(TURNS)])
  }

  /** The client has lost its connection, and waits until it may come back. */
  get isDisconnected(): boolean {
    return this.#state === 'waiting' && this.#clock.nextDueMs !== undefined
  }

  get isHistoryBlocked(): boolean {
    return this.#reads.blocked !== undefined
  }

  // What follows from a command

  /** Waits until the client has all that can reach it, or is cut off. */
  async #settle(): Promise<void> {
    if (this.isConsuming && !this.isStalled) {
      await this.#waitUntil(
        () =>
          this.isDisconnected ||
          (this.#state === 'open' &&
            (this.isHistoryBlocked || this.#last === this.happened.at(-1))),
      )
    }
    if (this.#isToBeCut && this.isDisconnected) {
      this.transcript.step('the connection is cut')
      this.#isToBeCut = false
    }
    await this.#settleTurns()
  }

  /** The quake that the client was given last. */
  get #last(): string | undefined {
    return this.received.findLast(({ id }) => id !== 'gap')?.id
  }

  /** @param lost how the connection was lost, where the client has to notice that */
  async #waitUntil(holds: () => boolean, lost?: string): Promise<void> {
    await this.#waiting
      .waitFor(
        () => this.#ended !== undefined || this.#isReadTooOften || holds(),
        () => this.#storyOfWait(lost),
      )
      .finally(() => this.#recordReceived())
    this.#mustReadSeldom()
    if (!this.#ended) return
    const { error } = this.#ended
    if (isNotWritten(error)) throw error
    const how = error === undefined ? 'ended' : `threw ${describeError(error)}`
    throw new Failure({ seen: `followQuakes() ${how}.`, expected: COMES_BACK })
  }

  /** Tells what did not come of it: bytes that are missing, or a loss that the client has not noticed. */
  #storyOfWait(lost: string | undefined): Story {
    if (this.#state === undefined) {
      return {
        seen: 'followQuakes() was called, and onState() was never called.',
        expected:
          'Expected calls of onState() with connecting, open and waiting, because this check follows your client by its states.',
      }
    }
    const last = this.#last ?? 'nothing'
    const newest = this.happened.at(-1)
    if (!lost && newest !== undefined && newest !== this.#last) {
      return { seen: `The client has ${last}, and ${newest} never arrived.`, expected: COMES_BACK }
    }
    const isAwake = this.#state === 'waiting' && this.#clock.nextDueMs === undefined
    return {
      seen: `${lost ?? (newest ? `The client has ${newest}, the newest quake` : 'No quake has happened')}. The last state that onState() was called with is ${this.#state}${isAwake ? ', and the client does not sleep with the clock that it was given' : ''}.`,
      expected: lost
        ? 'Expected the state waiting, and clock.sleep(ms, signal).'
        : 'Expected the state open, or waiting and clock.sleep(ms, signal).',
    }
  }

  get #isReadTooOften(): boolean {
    return this.#readCount > MAX_READS
  }

  #mustReadSeldom(): void {
    must(!this.#isReadTooOften, {
      seen: `The server read the history ${MAX_READS} times, while ${counted(this.happened.length, 'quake')} happened.`,
      expected:
        'Expected a read only when something has happened, and a wait when everything has been sent.',
    })
  }

  async #settleTurns(): Promise<void> {
    await turns(TURNS)
    this.#recordReceived()
    this.#mustReadSeldom()
  }

  #recordReceived(): void {
    if (this.#unrecorded.length > 0)
      this.transcript.step(`the client yielded ${this.#unrecorded.join(', ')}`)
    this.#unrecorded = []
  }

  /** Waits until the client knows that it is cut off, when it can. */
  async #waitForDisconnect(lost: string): Promise<void> {
    if (this.isConsuming) await this.#waitUntil(() => this.isDisconnected, lost)
    else await this.#settleTurns()
  }

  /** Ends its wait, and waits until it has tried. */
  async #attemptReconnect(): Promise<void> {
    const requests = this.#requests
    const disconnects = this.#disconnects
    await this.#waitUntil(() => {
      if (this.#disconnects > disconnects || this.#requests > requests) return true
      if (this.isDisconnected) this.#clock.advance(this.#clock.nextDueMs!)
      return false
    })
  }

  async #stopServer(): Promise<void> {
    this.#destination = 'nobody'
    this.#hop.faults.cut()
    await this.#server.close()
    if (!this.isDisconnected) await this.#waitForDisconnect('The server crashed or was shut down')
  }

  async #replaceServer(): Promise<void> {
    this.transcript.step('a new server has the same history')
    await this.#startServer()
  }
}

const COMES_BACK = 'Expected the client to reconnect until it has everything.'

/** Many times what a server reads in the longest scenario, even one that looks every few milliseconds. */
const MAX_READS = 2000

const MAX_RETURNS = 10

/** Longer than any wait of the client. */
const STALL_MS = 1e6

/** The longest that a timer can have. */
const NEVER = 2 ** 31 - 1

/** Enough for bytes to cross the hop. It decides nothing. */
const TURNS = 10
