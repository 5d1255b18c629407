import { connect } from 'node:net'
import type { SpaceTimeEvent } from '../../../protocol/space-time.ts'
import { responseReader } from '../../../wire/response.ts'
import { EventStreamParser } from '../event-stream-parser.ts'
import { turns } from '../event-loop.ts'
import { Failure } from '../failure.ts'
import { capitalised } from '../reconnection/wording.ts'
import type { Tools } from '../toolbox.ts'
import { drawLanes } from './lanes.ts'

/** A correct client of an event stream. Whenever its connection is lost, it reconnects with the last ID. */
export type StreamClient = {
  readonly name: string
  /** The IDs of the events that have arrived, also a second time, and `gap` for each gap. */
  readonly got: readonly string[]
  /** The number of connections on which a response has begun. */
  readonly responses: number
  /** Returns how many of these bytes arrive. If some are lost, the connection is lost as well. */
  arriving: (bytes: Buffer) => number
  /** Closes the connection, and opens no other one until `resume()`. */
  pause(): void
  resume(): void
}

/** Connects to a port of 127.0.0.1, until the check ends. */
export function streamClient(t: Tools, port: number, name: string): StreamClient {
  const got: string[] = []
  let responses = 0
  drawLanes(t.transcript)
  let lastEventId = ''
  let isStopped = false
  let stop = (): void => {}
  let paused: Promise<void> | undefined
  let resume = (): void => {}
  t.atEnd(() => {
    isStopped = true
    stop()
    resume()
  })
  const client: StreamClient = {
    name,
    got,
    get responses() {
      return responses
    },
    arriving: ({ length }) => length,
    pause() {
      paused = new Promise((resolve) => (resume = resolve))
      stop()
    },
    resume() {
      paused = undefined
      resume()
    },
  }

  // A check that tries many cases has a transcript for each.
  const draw = (event: SpaceTimeEvent): void => t.transcript.draw(event)

  function connectOnce(): Promise<void> {
    const response = responseReader()
    const events = new EventStreamParser()
    const header = lastEventId === '' ? '' : `Last-Event-ID: ${lastEventId}\r\n`
    draw({
      at: name,
      to: 'proxy',
      label: `GET /events${lastEventId && `, after ${lastEventId}`}`,
      isCall: true,
    })
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    stop = () => void socket.destroy()
    socket.write(`GET /events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${header}\r\n`)
    let hasBegun = false
    socket.on('data', (bytes) => {
      if (!hasBegun) responses += 1
      hasBegun = true
      const arrived = bytes.subarray(0, client.arriving(bytes))
      for (const segment of response.push(arrived)) {
        if (segment.kind !== 'data') continue
        for (const event of events.push(segment.bytes)) {
          const what = event.type === 'message' ? event.lastEventId : event.type
          got.push(what)
          draw({ at: 'proxy', to: name, label: what, isCall: true })
        }
      }
      lastEventId = events.lastEventId || lastEventId
      if (arrived.length < bytes.length) stop()
    })
    socket.on('end', stop)
    socket.on('error', () => {})
    return new Promise((closed) => socket.on('close', () => closed()))
  }

  async function keepConnected(): Promise<void> {
    while (!isStopped) {
      await paused
      await connectOnce()
      // All processes may refuse the connection for a moment.
      await turns(5)
    }
  }
  void keepConnected()
  return client
}

/** Checks that exactly these entries have arrived, each once and in order. */
export async function mustHaveGot(
  t: Tools,
  { name, got }: StreamClient,
  entries: readonly { id: string }[],
  { often, when = '' }: { often?: string; when?: string } = {},
): Promise<void> {
  const wanted = entries.map(({ id }) => id)
  const subject = capitalised(name)
  const cause = often === undefined ? {} : { often }
  const wrongAt = (): number => got.findIndex((id, n) => id !== wanted[n])
  await t.waitFor(
    () => got.length >= wanted.length || wrongAt() !== -1,
    () => ({
      seen: `${when}${subject} got ${got.length} of ${wanted.length} entries. The entry ${wanted[got.length]} did not arrive.`,
      expected: 'Expected every entry to arrive.',
      ...cause,
    }),
  )
  const at = wrongAt()
  if (at === -1) {
    t.transcript.step(`${name} has got ${wanted.length} entries`, {
      at: name,
      label: `has got ${wanted.length} entries`,
    })
    return
  }
  const wrong = got[at]!
  const what =
    wrong === 'gap'
      ? 'was told of a gap, although no entry was missing'
      : got.indexOf(wrong) < at
        ? `got the entry ${wrong} a second time`
        : wanted.includes(wrong)
          ? `got the entry ${wrong}, but ${wanted[at]} was lost`
          : `got the entry ${wrong} instead of ${wanted[at] ?? 'nothing'}`
  throw new Failure({
    seen: `${when}${subject} ${what}.`,
    expected: 'Expected every entry once and in order.',
    ...cause,
  })
}
