import type { Quake } from '#feed'
import { followQuakes, type ConnectionState } from '#work/05-reconnection/client.ts'
import { createHistory, type History } from '#work/05-reconnection/history.ts'
import { createApp } from '#work/05-reconnection/server.ts'
import { tap, type Destination } from '../../wire/tap.ts'
import type { Tools } from './check.ts'
import { clockInHand } from './clock.ts'
import { describeError, Failure } from './failure.ts'
import { patience } from './patience.ts'
import type { Served } from './serve.ts'
import { transcript, type Transcript } from './transcript.ts'
import { turned } from './turned.ts'

/** What the client has been given: a quake, or word of a gap. And how many quakes had happened by then. */
export type Given = { id: string | 'gap'; happened: number }

/**
 * A history, a server, a client, and a hop between the two that makes trouble: all but the hop are the work's. Each
 * deed comes back when all that follows from it has happened.
 */
export type World = {
  /** The story so far. */
  readonly told: Transcript
  /** In order. */
  readonly happened: readonly string[]
  readonly given: readonly Given[]
  /** How often the client has lost its connection. */
  readonly losses: number
  /** The client has lost its connection, and waits until it may come back. */
  readonly isAway: boolean
  readonly isStalled: boolean
  readonly isReading: boolean
  readonly isHistorySlow: boolean
  /** The client comes for the first time. */
  begin(): Promise<void>
  happen(count: number): Promise<void>
  cut(): Promise<void>
  /** Cuts this connection when so many more bytes have reached the client; undefined takes that back. */
  cutAfter(bytes: number | undefined): void
  /** The client has waited long enough. */
  comeBack(): Promise<void>
  /** The hop holds back what the server sends. */
  stall(): void
  flow(): Promise<void>
  /** The stall has been so long that the client's watchdog barks. */
  beSilent(): Promise<void>
  /** The server is gone, the client tries in vain so many times, and a new server has the same history. */
  crash(tries: Try[]): Promise<void>
  /** The server sends its clients elsewhere. */
  shutDown(): Promise<void>
  /** Whoever reads the quakes takes its time. */
  stopReading(): void
  readOn(): Promise<void>
  /** Reading the history takes long. */
  slowHistory(answer: 'as it was' | 'as it is'): void
  readHistory(): Promise<void>
  close(): Promise<void>
}

/** What a client meets while the server is gone. */
export type Try = 'nobody' | '503'

/** How many quakes the history of a world keeps. */
export const CAPACITY = 4

/**
 * @param stock the quakes that may happen
 * @param turns how long it waits in vain, see `patience()`
 */
export async function world(
  t: Pick<Tools, 'serve'>,
  { stock, turns }: { stock: Quake[]; turns?: number },
): Promise<World> {
  const told = transcript()
  const { until } = patience(told, turns)
  const happened: string[] = []
  const given: Given[] = []

  // The history

  const history = createHistory({ capacity: CAPACITY })
  let slow: 'as it was' | 'as it is' | undefined
  let goOn: (() => void)[] = []
  const slowable: History = {
    get isOver() {
      return history.isOver
    },
    async after(id) {
      if (!slow) return history.after(id)
      const asItWas = slow === 'as it was' ? history.after(id) : undefined
      await new Promise<void>((resolve) => goOn.push(resolve))
      return asItWas ?? history.after(id)
    },
    subscribe: (listener) => history.subscribe(listener),
  }

  // The server

  let where: Destination = 'nobody'
  let server: Served
  let shutdown: AbortController
  async function startServer(): Promise<void> {
    shutdown = new AbortController()
    const options = { heartbeatMs: NEVER, shutdown: shutdown.signal }
    server = await t.serve(createApp(slowable, options))
    where = { port: server.port }
  }
  await startServer()

  // The hop

  let requests = 0
  const hop = await tap({
    port: 0,
    destination: async () => where,
    observer: {
      opened() {},
      closed() {},
      arrived(_connection, { direction, hop: at, bytes }) {
        if (direction !== 'request' || at !== 'client') return
        requests += 1
        const cursor = /^last-event-id: *(.*)\r$/im.exec(Buffer.from(bytes).toString('latin1'))?.[1]
        told.step(`client: GET /events${cursor === undefined ? '' : `, Last-Event-ID: ${cursor}`}`)
      },
    },
  })
  let isStalled = false
  let isToBeCut = false

  // The client

  const clock = clockInHand({ steps: [], step() {} })
  const abort = new AbortController()
  let state: ConnectionState['name'] = 'connecting'
  let losses = 0
  let untold: string[] = []
  let isReading = true
  let readOn = (): void => {}
  let ended: { error?: unknown } | undefined

  const follow = async (): Promise<void> => {
    const quakes = followQuakes(`http://127.0.0.1:${hop.port}/events`, {
      signal: abort.signal,
      clock,
      random: () => 0.5,
      stallMs: STALL_MS,
      onState({ name }) {
        state = name
        if (name === 'waiting') losses += 1
      },
      onGap: () => give('gap'),
    })
    for await (const { id } of quakes) {
      give(id)
      if (!isReading) await new Promise<void>((resolve) => (readOn = resolve))
    }
  }
  let following: Promise<unknown> = Promise.resolve()

  function give(id: string): void {
    given.push({ id, happened: happened.length })
    untold.push(id === 'gap' ? 'a gap' : id)
  }

  function isAway(): boolean {
    return state === 'waiting' && clock.next !== undefined
  }

  // What follows from a deed

  /** Waits until the client has all that can reach it, or is cut off. */
  async function settle(): Promise<void> {
    if (isReading && !isStalled) {
      await comes(() => isAway() || (state === 'open' && (slow !== undefined || hasAll())))
    }
    if (isToBeCut && isAway()) {
      told.step('the connection is cut')
      isToBeCut = false
    }
    await someTurns()
  }

  function hasAll(): boolean {
    return given.findLast(({ id }) => id !== 'gap')?.id === happened.at(-1)
  }

  async function comes(holds: () => boolean): Promise<void> {
    const story = {
      get seen() {
        const last = given.findLast(({ id }) => id !== 'gap')?.id
        return `The client has ${last ?? 'nothing'}, and ${happened.at(-1) ?? 'its connection'} never came.`
      },
      expected: 'Expected the client to come back until it has everything.',
    }
    await until(() => ended !== undefined || holds(), story).finally(tellGiven)
    if (!ended) return
    // What nobody has written yet is not wrong.
    if (ended.error instanceof Error && ended.error.message.startsWith('lesson ')) throw ended.error
    const how = ended.error === undefined ? 'ended' : `threw ${describeError(ended.error)}`
    throw new Failure({ ...story, seen: `followQuakes() ${how}.` })
  }

  async function someTurns(): Promise<void> {
    await turned(TURNS)
    tellGiven()
  }

  function tellGiven(): void {
    if (untold.length > 0) told.step(`client gave ${untold.join(', ')}`)
    untold = []
  }

  /** Waits until the client knows that it is cut off, when it can. */
  async function noticesLoss(): Promise<void> {
    if (isReading) await comes(isAway)
    else await someTurns()
  }

  /** Ends its wait, and waits until it has tried. */
  async function tries(): Promise<void> {
    const before = { requests, losses }
    await comes(() => {
      if (losses > before.losses || requests > before.requests) return true
      if (isAway()) clock.pass(clock.next!)
      return false
    })
  }

  async function stopServer(): Promise<void> {
    where = 'nobody'
    hop.faults.cut()
    await server.close()
    if (!isAway()) await noticesLoss()
  }

  return {
    told,
    happened,
    given,
    get losses() {
      return losses
    },
    get isAway() {
      return isAway()
    },
    get isStalled() {
      return isStalled
    },
    get isReading() {
      return isReading
    },
    get isHistorySlow() {
      return slow !== undefined
    },
    async begin() {
      following = follow().then(
        () => (ended = {}),
        (error: unknown) => (ended = { error }),
      )
      await settle()
    },
    async happen(count) {
      const quakes = stock.slice(happened.length, happened.length + count)
      const [first, last] = [quakes[0]!.id, quakes.at(-1)!.id]
      told.step(count === 1 ? `${first} happens` : `${first} to ${last} happen`)
      for (const quake of quakes) {
        happened.push(quake.id)
        history.append(quake)
      }
      await settle()
    },
    async cut() {
      told.step('the connection is cut')
      hop.faults.cut()
      await noticesLoss()
    },
    cutAfter(bytes) {
      isToBeCut = bytes !== undefined
      if (isToBeCut) told.step(`the connection will be cut ${bytes} bytes from here`)
      hop.faults.cutAfter(bytes)
    },
    async comeBack() {
      hop.faults.cutAfter(undefined)
      isToBeCut = false
      await tries()
      await settle()
    },
    stall() {
      told.step('the connection stalls')
      isStalled = true
      hop.faults.stall(true)
    },
    async flow() {
      told.step('the connection goes on')
      isStalled = false
      hop.faults.stall(false)
      await settle()
    },
    async beSilent() {
      told.step('the client has heard nothing for too long')
      clock.pass(STALL_MS)
      await noticesLoss()
    },
    async crash(attempts) {
      told.step('the server crashes')
      await stopServer()
      for (const attempt of isReading ? attempts : []) {
        told.step(attempt === 'nobody' ? 'nobody answers' : 'a proxy answers 503')
        where = attempt === 'nobody' ? 'nobody' : { unavailable: 'The server is gone.' }
        const before = losses
        await tries()
        await comes(() => losses > before && isAway())
      }
      told.step('a new server has the same history')
      await startServer()
    },
    async shutDown() {
      told.step('the server is shut down')
      shutdown.abort()
      // What a shutdown does is task 5.8. Here the server is gone in the end, whatever it has done.
      for (let n = 0; n < TURNS && !isAway(); n += 1) await someTurns()
      await stopServer()
      told.step('a new server has the same history')
      await startServer()
    },
    stopReading() {
      told.step('whoever reads takes its time, from the next quake on')
      isReading = false
    },
    async readOn() {
      told.step('whoever reads goes on')
      isReading = true
      readOn()
      await settle()
    },
    slowHistory(answer) {
      told.step(`reading the history takes long, and gives it ${answer}`)
      slow = answer
    },
    async readHistory() {
      told.step('the history has been read')
      slow = undefined
      for (const go of goOn) go()
      goOn = []
      await settle()
    },
    async close() {
      abort.abort()
      readOn()
      for (const go of goOn) go()
      await hop.close()
      await server.close()
      await Promise.race([following, someTurns()])
    },
  }
}

/** Longer than any wait of the client. */
const STALL_MS = 1e6

/** The longest that a timer can have. */
const NEVER = 2 ** 31 - 1

/** Enough for bytes to cross the hop. It decides nothing. */
const TURNS = 10
