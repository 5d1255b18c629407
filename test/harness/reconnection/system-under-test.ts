import type { Quake } from '#feed'
import type { createHistory, History } from '#work/05-replay/history.ts'
import type { createApp } from '#work/05-replay/server.ts'
import type { ConnectionState, followQuakes } from '#work/06-resume/client.ts'
import { responseReader } from '../../../wire/response.ts'
import { tap, type Destination } from '../../../wire/tap.ts'
import type { Tools } from '../check.ts'
import { nameEvent } from '../event-client.ts'
import { turns } from '../event-loop.ts'
import { EventStreamParser } from '../event-stream-parser.ts'
import { describeError, Failure, must, type Story } from '../failure.ts'
import { isNotWritten } from '../../../protocol/not-written.ts'
import type { TestServer } from '../serve.ts'
import { excerpt, newTranscript, SILENT } from '../transcript.ts'
import { waiting, type Waiting } from '../waiting.ts'
import { blockableReads, type AnswerAs } from './blockable-reads.ts'
import { ControlledClock } from './controlled-clock.ts'
import { patientAbortController } from './patient-signal.ts'
import { counted } from './wording.ts'

/** A quake or a gap that the client has reported, and the number of quakes that had happened by then. */
export type Received = { id: string | 'gap'; happenedBefore: number }

/** The way in which a request fails while there is no server. */
export type FailedAttempt = 'nobody' | '503'

/** The number of quakes that the history keeps. */
export const HISTORY_CAPACITY = 4

/** The programs that work together. Some of them are graded, and the others are from the solution. */
export type Parts = {
  createHistory: typeof createHistory
  createApp: typeof createApp
  followQuakes: typeof followQuakes
}

type Options = {
  parts: Parts
  /** The quakes that may happen. */
  stock: Quake[]
  /** The timeout in turns, see `waiting()`. */
  timeoutTurns?: number | undefined
}

/**
 * A history, a server, a client, and a hop between server and client that causes faults. Each command returns when its
 * consequences have happened.
 */
export class SystemUnderTest {
  /** The steps so far. */
  readonly transcript = newTranscript()
  /** The IDs of the quakes that have happened, in order. */
  readonly happened: string[] = []
  readonly received: Received[] = []
  isStalled = false
  isConsuming = true

  readonly #tools: Pick<Tools, 'serve'>
  readonly #parts: Parts
  readonly #stock: Quake[]
  readonly #waiting: Waiting

  readonly #history: History & Pick<ReturnType<typeof createHistory>, 'append'>
  readonly #reads = blockableReads((id) => this.#history.after(id))
  #readCount = 0

  #server!: TestServer
  #shutdown!: AbortController

  #hop!: Awaited<ReturnType<typeof tap>>
  #destination: Destination = 'nobody'
  #requests = 0
  readonly #streams = new Map<
    number,
    { response: ReturnType<typeof responseReader>; events: EventStreamParser }
  >()
  /** Whether the hop will cut the connection after more bytes. */
  #isToBeCut = false

  readonly #clock = new ControlledClock(SILENT)
  readonly #abort = patientAbortController()
  #state: ConnectionState['name'] | undefined
  #disconnects = 0
  /** The quakes and gaps that the transcript does not contain yet. */
  #unrecorded: string[] = []
  #wakeConsumer = (): void => {}
  #consuming: Promise<unknown> = Promise.resolve()
  /** Set when followQuakes() has ended, with its error if it threw. */
  #ended: { error?: unknown } | undefined

  private constructor(tools: Pick<Tools, 'serve'>, { parts, stock, timeoutTurns }: Options) {
    this.#tools = tools
    this.#parts = parts
    this.#history = parts.createHistory({ capacity: HISTORY_CAPACITY })
    this.#stock = stock
    this.#waiting = waiting(this.transcript, timeoutTurns)
    this.transcript.parties('history', 'server', 'hop', 'client')
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
        // Stop answering a server that reads in a busy loop, because it must not block everything else.
        return this.#readCount > MAX_READS ? new Promise(() => {}) : this.#reads.read(id)
      },
      subscribe: (listener) => history.subscribe(listener),
    }
    this.#shutdown = patientAbortController()
    const options = { heartbeatMs: NEVER, shutdown: this.#shutdown.signal }
    this.#server = await this.#tools.serve(this.#parts.createApp(blockable, options))
    this.#destination = { port: this.#server.port }
  }

  async #startHop(): Promise<void> {
    this.#hop = await tap({
      port: 0,
      destination: async () => this.#destination,
      observer: {
        opened() {},
        closed() {},
        arrived: (connection, { direction, hop, bytes }) => {
          if (hop !== 'client') return
          if (direction === 'response') return this.#drawEvents(connection, bytes)
          this.#requests += 1
          const head = Buffer.from(bytes).toString('latin1')
          const cursor = /^last-event-id: *(.*)\r$/im.exec(head)?.[1]
          const tail = cursor === undefined ? '' : `, Last-Event-ID: ${excerpt(cursor)}`
          const label = `GET /events${tail}`
          const arrives = typeof this.#destination === 'object' && 'port' in this.#destination
          this.transcript.step(`client: ${label}`, {
            at: 'client',
            to: 'server',
            label,
            ...(!arrives && { lost: true }),
          })
        },
      },
    })
  }

  /** Starts the client. */
  async connect(): Promise<void> {
    this.#consuming = this.#consume().then(
      () => (this.#ended = {}),
      (error: unknown) => (this.#ended = { error }),
    )
    await this.#settle()
  }

  async #consume(): Promise<void> {
    const quakes = this.#parts.followQuakes(`http://127.0.0.1:${this.#hop.port}/events`, {
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

  /** Draws the events that have crossed the hop, and the IDs that came without a quake. */
  #drawEvents(connection: number, bytes: Uint8Array): void {
    if (!this.#streams.has(connection)) {
      this.#streams.set(connection, { response: responseReader(), events: new EventStreamParser() })
    }
    const { response, events } = this.#streams.get(connection)!
    for (const segment of response.push(bytes)) {
      if (segment.kind !== 'data') continue
      const before = events.lastEventId
      const completed = events.push(segment.bytes)
      const labels = completed.map(nameEvent)
      const { lastEventId } = events
      if (lastEventId !== before && !completed.some(({ type }) => type === 'message')) {
        labels.push(`the ID "${excerpt(lastEventId, 24)}", without a quake`)
      }
      for (const label of labels) this.transcript.draw({ at: 'server', to: 'client', label })
    }
  }

  /** Adds a step of a single party. */
  #tell(at: string, label: string): void {
    this.transcript.step(label, { at, label })
  }

  // The commands

  async happen(count: number): Promise<void> {
    const { length } = this.happened
    const quakes = this.#stock.slice(length, length + count)
    const [first, last] = [quakes[0]!.id, quakes.at(-1)!.id]
    this.#tell('history', count === 1 ? `${first} happens` : `${first} to ${last} happen`)
    for (const quake of quakes) {
      this.happened.push(quake.id)
      this.#history.append(quake)
    }
    await this.#settle()
  }

  async cut(): Promise<void> {
    this.#tell('hop', 'the connection is cut')
    this.#hop.faults.cut()
    await this.#waitForDisconnect('The connection was cut')
  }

  /** Cuts the connection when `bytes` more bytes have reached the client. Undefined cancels the cut. */
  cutAfter(bytes: number | undefined): void {
    this.#isToBeCut = bytes !== undefined
    if (this.#isToBeCut) {
      this.#tell('hop', `the connection will be cut after ${bytes} more bytes`)
    }
    this.#hop.faults.cutAfter(bytes)
  }

  /** Lets the client reconnect until it stays connected. One reconnect should be enough, but a few are allowed. */
  async stayConnected(): Promise<void> {
    for (let returns = 0; this.isDisconnected; returns += 1) {
      must(returns < MAX_RETURNS, {
        seen: `The connection was no longer being cut, but the client reconnected ${MAX_RETURNS} times and lost each connection.`,
        expected: 'Expected the client to reconnect, and the server to keep the connection open.',
      })
      await this.reconnect()
    }
  }

  /** Ends the client's wait before a reconnect. */
  async reconnect(): Promise<void> {
    this.#hop.faults.cutAfter(undefined)
    this.#isToBeCut = false
    await this.#attemptReconnect()
    await this.#settle()
  }

  /** Makes the hop buffer everything that the server sends. */
  stall(): void {
    this.#tell('hop', 'the connection stalls')
    this.isStalled = true
    this.#hop.faults.stall(true)
  }

  async unstall(): Promise<void> {
    this.#tell('hop', 'the connection continues')
    this.isStalled = false
    this.#hop.faults.stall(false)
    await this.#settle()
  }

  /** Continues the stall until the client's watchdog fires. */
  async expireWatchdog(): Promise<void> {
    this.#tell('client', 'the watchdog of the client fires')
    this.#clock.advance(STALL_MS)
    await this.#waitForDisconnect('Nothing reached the client for stallMs')
  }

  /** Stops the server, makes each of the `attempts` fail, and starts a new server with the same history. */
  async crash(attempts: FailedAttempt[]): Promise<void> {
    this.#tell('server', 'the server crashes')
    await this.#stopServer()
    for (const attempt of this.isConsuming ? attempts : []) {
      const isNobody = attempt === 'nobody'
      this.#tell('hop', isNobody ? 'the connection is refused' : 'a proxy answers 503')
      this.#destination = isNobody ? 'nobody' : { unavailable: 'The server is gone.' }
      const before = this.#disconnects
      await this.#attemptReconnect()
      await this.#waitUntil(() => this.#disconnects > before && this.isDisconnected)
    }
    await this.#replaceServer()
  }

  /** Shuts the server down. */
  async shutDown(): Promise<void> {
    this.#tell('server', 'the server is shut down')
    this.#shutdown.abort()
    // Task 5.5 tests the shutdown itself. Here, stop the server even if the client is still connected.
    for (let n = 0; n < TURNS && !this.isDisconnected; n += 1) await this.#settleTurns()
    await this.#stopServer()
    await this.#replaceServer()
  }

  /** Makes the caller of followQuakes() slow. */
  pauseConsumer(): void {
    this.#tell('client', 'the caller is slow from the next quake on')
    this.isConsuming = false
  }

  async resumeConsumer(): Promise<void> {
    this.#tell('client', 'the caller continues')
    this.isConsuming = true
    this.#wakeConsumer()
    await this.#settle()
  }

  /** Blocks further reads of the history. */
  blockHistory(answer: AnswerAs): void {
    this.#tell('history', `reading the history takes a while, and returns it ${answer}`)
    this.#reads.block(answer)
  }

  async unblockHistory(): Promise<void> {
    this.transcript.step('the history has been read', {
      at: 'history',
      ...(this.#reads.waiting > 0 && { to: 'server' }),
      label: 'the history has been read',
    })
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

  /** Whether the client has lost its connection, and waits before it reconnects. */
  get isDisconnected(): boolean {
    return this.#state === 'waiting' && this.#clock.nextDueMs !== undefined
  }

  get isHistoryBlocked(): boolean {
    return this.#reads.blocked !== undefined
  }

  // Waiting for the consequences of a command

  /** Waits until the client has everything that can reach it, or is cut off. */
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
      this.#tell('hop', 'the connection is cut')
      this.#isToBeCut = false
    }
    await this.#settleTurns()
  }

  /** The quake that the client yielded last. */
  get #last(): string | undefined {
    return this.received.findLast(({ id }) => id !== 'gap')?.id
  }

  /** Waits until `holds()` is true. @param lost how the connection was lost, if the client must notice that */
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

  /**
   * Describes a wait that timed out: quakes are missing, or the client has not noticed that its connection was lost.
   */
  #storyOfWait(lost: string | undefined): Story {
    if (this.#state === undefined) {
      return {
        seen: 'followQuakes() was called, but onState() was never called.',
        expected:
          'Expected calls to onState() with "connecting", "open" and "waiting", because this check follows your client by its states.',
      }
    }
    const last = this.#last ?? 'nothing'
    const newest = this.happened.at(-1)
    if (!lost && newest !== undefined && newest !== this.#last) {
      return { seen: `The client had ${last}, and ${newest} never arrived.`, expected: COMES_BACK }
    }
    const isAwake = this.#state === 'waiting' && this.#clock.nextDueMs === undefined
    return {
      seen: `${lost ?? (newest ? `The client got ${newest}, the newest quake` : 'No quake had happened')}. The last state passed to onState() was ${this.#state}${isAwake ? ', and the client did not sleep with the clock that it was given' : ''}.`,
      expected: lost
        ? 'Expected the state "waiting", and a call to clock.sleep(ms, signal).'
        : 'Expected the state "open", or the state "waiting" and a call to clock.sleep(ms, signal).',
    }
  }

  get #isReadTooOften(): boolean {
    return this.#readCount > MAX_READS
  }

  #mustReadSeldom(): void {
    must(!this.#isReadTooOften, {
      seen: `The server read the history ${MAX_READS} times, while ${counted(this.happened.length, 'quake')} happened.`,
      expected:
        'Expected the server to read the history only when something has happened, and to wait when everything has been sent.',
    })
  }

  async #settleTurns(): Promise<void> {
    await turns(TURNS)
    this.#recordReceived()
    this.#mustReadSeldom()
  }

  #recordReceived(): void {
    if (this.#unrecorded.length > 0)
      this.#tell('client', `the client yielded ${this.#unrecorded.join(', ')}`)
    this.#unrecorded = []
  }

  /** Waits until the client knows that it is cut off, unless its caller is too slow for the client to notice. */
  async #waitForDisconnect(lost: string): Promise<void> {
    if (this.isConsuming) await this.#waitUntil(() => this.isDisconnected, lost)
    else await this.#settleTurns()
  }

  /** Ends the client's wait before a reconnect, and waits until the client has made a request. */
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
    this.#tell('server', 'a new server has the same history')
    await this.#startServer()
  }
}

const COMES_BACK = 'Expected the client to reconnect until it has everything.'

/**
 * The maximum number of reads. It is many times what a correct server needs in the longest scenario, even if the server
 * polls every few milliseconds.
 */
const MAX_READS = 2000

const MAX_RETURNS = 10

/** The client's stallMs, which is longer than any of its waits. */
const STALL_MS = 1e6

/** The longest delay that a timer can have. */
const NEVER = 2 ** 31 - 1

/** The number of turns in which bytes cross the hop. No result depends on this number. */
const TURNS = 10
