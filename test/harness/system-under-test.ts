import type { Quake } from '#feed'
import { followQuakes, type ConnectionState } from '#work/05-reconnection/client.ts'
import { createHistory, type History } from '#work/05-reconnection/history.ts'
import { createApp } from '#work/05-reconnection/server.ts'
import { tap, type Destination } from '../../wire/tap.ts'
import type { Tools } from './check.ts'
import { controlledClock } from './controlled-clock.ts'
import { describeError, Failure } from './failure.ts'
import { waiting } from './waiting.ts'
import type { TestServer } from './serve.ts'
import { newTranscript, type Transcript } from './transcript.ts'
import { turns } from './event-loop.ts'

/** What the client has been given: a quake, or word of a gap. And how many quakes had happened by then. */
export type Received = { id: string | 'gap'; happenedBefore: number }

/**
 * A history, a server, a client, and a hop between the two that makes trouble: all but the hop are the work's. Each
 * command returns when all that follows from it has happened.
 */
export type SystemUnderTest = {
  /** What has been done and seen so far. */
  readonly transcript: Transcript
  /** In order. */
  readonly happened: readonly string[]
  readonly received: readonly Received[]
  /** The client has lost its connection, and waits until it may come back. */
  readonly isDisconnected: boolean
  readonly isStalled: boolean
  readonly isConsuming: boolean
  readonly isHistoryBlocked: boolean
  /** The client comes for the first time. */
  connect(): Promise<void>
  happen(count: number): Promise<void>
  cut(): Promise<void>
  /** Cuts this connection when so many more bytes have reached the client; undefined takes that back. */
  cutAfter(bytes: number | undefined): void
  /** The client has waited long enough. */
  reconnect(): Promise<void>
  /** The hop holds back what the server sends. */
  stall(): void
  unstall(): Promise<void>
  /** The stall has been so long that the client's watchdog barks. */
  expireWatchdog(): Promise<void>
  /** The server is gone, the client tries in vain so many times, and a new server has the same history. */
  crash(tries: FailedAttempt[]): Promise<void>
  /** The server sends its clients elsewhere. */
  shutDown(): Promise<void>
  /** Whoever reads the quakes takes its time. */
  pauseConsumer(): void
  resumeConsumer(): Promise<void>
  /** Reading the history takes long. */
  blockHistory(answer: 'as it was' | 'as it is'): void
  unblockHistory(): Promise<void>
  close(): Promise<void>
}

/** What a client meets while the server is gone. */
export type FailedAttempt = 'nobody' | '503'

/** How many quakes the history keeps. */
export const HISTORY_CAPACITY = 4

/**
 * @param stock the quakes that may happen
 * @param timeoutTurns how long it waits in vain, see `waiting()`
 */
export async function systemUnderTest(
  t: Pick<Tools, 'serve'>,
  { stock, timeoutTurns }: { stock: Quake[]; timeoutTurns?: number },
): Promise<SystemUnderTest> {
  const transcript = newTranscript()
  const { waitFor } = waiting(transcript, timeoutTurns)
  const happened: string[] = []
  const received: Received[] = []

  // The history

  const history = createHistory({ capacity: HISTORY_CAPACITY })
  let blockedAnswer: 'as it was' | 'as it is' | undefined
  let unblock: (() => void)[] = []
  const blockableHistory: History = {
    get isOver() {
      return history.isOver
    },
    async after(id) {
      if (!blockedAnswer) return history.after(id)
      const asItWas = blockedAnswer === 'as it was' ? history.after(id) : undefined
      await new Promise<void>((resolve) => unblock.push(resolve))
      return asItWas ?? history.after(id)
    },
    subscribe: (listener) => history.subscribe(listener),
  }

  // The server

  let destination: Destination = 'nobody'
  let server: TestServer
  let shutdown: AbortController
  async function startServer(): Promise<void> {
    shutdown = new AbortController()
    const options = { heartbeatMs: NEVER, shutdown: shutdown.signal }
    server = await t.serve(createApp(blockableHistory, options))
    destination = { port: server.port }
  }
  await startServer()

  // The hop

  let requests = 0
  const hop = await tap({
    port: 0,
    destination: async () => destination,
    observer: {
      opened() {},
      closed() {},
      arrived(_connection, { direction, hop: at, bytes }) {
        if (direction !== 'request' || at !== 'client') return
        requests += 1
        const cursor = /^last-event-id: *(.*)\r$/im.exec(Buffer.from(bytes).toString('latin1'))?.[1]
        transcript.step(
          `client: GET /events${cursor === undefined ? '' : `, Last-Event-ID: ${cursor}`}`,
        )
      },
    },
  })
  let isStalled = false
  let isToBeCut = false

  // The client

  const clock = controlledClock({ steps: [], step() {} })
  const abort = new AbortController()
  let state: ConnectionState['name'] = 'connecting'
  let disconnects = 0
  let unrecorded: string[] = []
  let isConsuming = true
  let wakeConsumer = (): void => {}
  let ended: { error?: unknown } | undefined

  const consume = async (): Promise<void> => {
    const quakes = followQuakes(`http://127.0.0.1:${hop.port}/events`, {
      signal: abort.signal,
      clock,
      random: () => 0.5,
      stallMs: STALL_MS,
      onState({ name }) {
        state = name
        if (name === 'waiting') disconnects += 1
      },
      onGap: () => receive('gap'),
    })
    for await (const { id } of quakes) {
      receive(id)
      if (!isConsuming) await new Promise<void>((resolve) => (wakeConsumer = resolve))
    }
  }
  let consuming: Promise<unknown> = Promise.resolve()

  function receive(id: string): void {
    received.push({ id, happenedBefore: happened.length })
    unrecorded.push(id === 'gap' ? 'a gap' : id)
  }

  function isDisconnected(): boolean {
    return state === 'waiting' && clock.nextDueMs !== undefined
  }

  // What follows from a command

  /** Waits until the client has all that can reach it, or is cut off. */
  async function settle(): Promise<void> {
    if (isConsuming && !isStalled) {
      await waitUntil(
        () => isDisconnected() || (state === 'open' && (blockedAnswer !== undefined || hasAll())),
      )
    }
    if (isToBeCut && isDisconnected()) {
      transcript.step('the connection is cut')
      isToBeCut = false
    }
    await settleTurns()
  }

  function hasAll(): boolean {
    return received.findLast(({ id }) => id !== 'gap')?.id === happened.at(-1)
  }

  async function waitUntil(holds: () => boolean): Promise<void> {
    const story = {
      get seen() {
        const last = received.findLast(({ id }) => id !== 'gap')?.id
        return `The client has ${last ?? 'nothing'}, and ${happened.at(-1) ?? 'its connection'} never came.`
      },
      expected: 'Expected the client to come back until it has everything.',
    }
    await waitFor(() => ended !== undefined || holds(), story).finally(recordReceived)
    if (!ended) return
    // What nobody has written yet is not wrong.
    if (ended.error instanceof Error && ended.error.message.startsWith('lesson ')) throw ended.error
    const how = ended.error === undefined ? 'ended' : `threw ${describeError(ended.error)}`
    throw new Failure({ ...story, seen: `followQuakes() ${how}.` })
  }

  async function settleTurns(): Promise<void> {
    await turns(SETTLE_TURNS)
    recordReceived()
  }

  function recordReceived(): void {
    if (unrecorded.length > 0) transcript.step(`client gave ${unrecorded.join(', ')}`)
    unrecorded = []
  }

  /** Waits until the client knows that it is cut off, when it can. */
  async function waitForDisconnect(): Promise<void> {
    if (isConsuming) await waitUntil(isDisconnected)
    else await settleTurns()
  }

  /** Ends its wait, and waits until it has tried. */
  async function attemptReconnect(): Promise<void> {
    const before = { requests, disconnects }
    await waitUntil(() => {
      if (disconnects > before.disconnects || requests > before.requests) return true
      if (isDisconnected()) clock.advance(clock.nextDueMs!)
      return false
    })
  }

  async function stopServer(): Promise<void> {
    destination = 'nobody'
    hop.trouble.cut()
    await server.close()
    if (!isDisconnected()) await waitForDisconnect()
  }

  return {
    transcript,
    happened,
    received,
    get isDisconnected() {
      return isDisconnected()
    },
    get isStalled() {
      return isStalled
    },
    get isConsuming() {
      return isConsuming
    },
    get isHistoryBlocked() {
      return blockedAnswer !== undefined
    },
    async connect() {
      consuming = consume().then(
        () => (ended = {}),
        (error: unknown) => (ended = { error }),
      )
      await settle()
    },
    async happen(count) {
      const quakes = stock.slice(happened.length, happened.length + count)
      const [first, last] = [quakes[0]!.id, quakes.at(-1)!.id]
      transcript.step(count === 1 ? `${first} happens` : `${first} to ${last} happen`)
      for (const quake of quakes) {
        happened.push(quake.id)
        history.append(quake)
      }
      await settle()
    },
    async cut() {
      transcript.step('the connection is cut')
      hop.trouble.cut()
      await waitForDisconnect()
    },
    cutAfter(bytes) {
      isToBeCut = bytes !== undefined
      if (isToBeCut) transcript.step(`the connection will be cut ${bytes} bytes from here`)
      hop.trouble.cutAfter(bytes)
    },
    async reconnect() {
      hop.trouble.cutAfter(undefined)
      isToBeCut = false
      await attemptReconnect()
      await settle()
    },
    stall() {
      transcript.step('the connection stalls')
      isStalled = true
      hop.trouble.stall(true)
    },
    async unstall() {
      transcript.step('the connection goes on')
      isStalled = false
      hop.trouble.stall(false)
      await settle()
    },
    async expireWatchdog() {
      transcript.step('the client has heard nothing for too long')
      clock.advance(STALL_MS)
      await waitForDisconnect()
    },
    async crash(attempts) {
      transcript.step('the server crashes')
      await stopServer()
      for (const attempt of isConsuming ? attempts : []) {
        transcript.step(attempt === 'nobody' ? 'nobody answers' : 'a proxy answers 503')
        destination = attempt === 'nobody' ? 'nobody' : { unavailable: 'The server is gone.' }
        const before = disconnects
        await attemptReconnect()
        await waitUntil(() => disconnects > before && isDisconnected())
      }
      transcript.step('a new server has the same history')
      await startServer()
    },
    async shutDown() {
      transcript.step('the server is shut down')
      shutdown.abort()
      // What a shutdown does is task 5.8. Here the server is gone in the end, whatever it has done.
      for (let n = 0; n < SETTLE_TURNS && !isDisconnected(); n += 1) await settleTurns()
      await stopServer()
      transcript.step('a new server has the same history')
      await startServer()
    },
    pauseConsumer() {
      transcript.step('whoever reads takes its time, from the next quake on')
      isConsuming = false
    },
    async resumeConsumer() {
      transcript.step('whoever reads goes on')
      isConsuming = true
      wakeConsumer()
      await settle()
    },
    blockHistory(answer) {
      transcript.step(`reading the history takes long, and gives it ${answer}`)
      blockedAnswer = answer
    },
    async unblockHistory() {
      transcript.step('the history has been read')
      blockedAnswer = undefined
      for (const go of unblock) go()
      unblock = []
      await settle()
    },
    async close() {
      abort.abort()
      wakeConsumer()
      for (const go of unblock) go()
      await hop.close()
      await server.close()
      await Promise.race([consuming, settleTurns()])
    },
  }
}

/** Longer than any wait of the client. */
const STALL_MS = 1e6

/** The longest that a timer can have. */
const NEVER = 2 ** 31 - 1

/** Enough for bytes to cross the hop. It decides nothing. */
const SETTLE_TURNS = 10
