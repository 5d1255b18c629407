import type { Arrival, Closing } from './arrival.ts'
import { responseReader, type ResponseReader, type Segment } from './response.ts'

/** A parser for the requests and responses of one connection on one hop, arrival by arrival. */
export type Conversation = {
  /** Returns the HTTP segments that newly arrived bytes complete or continue. A request is a single segment of type `data`. */
  segments(arrival: Pick<Arrival, 'direction' | 'bytes'>): Segment[]
  /** The reader of the current or the last response. Undefined before the first request. */
  readonly reader: ResponseReader | undefined
}

export function conversation(): Conversation {
  let reader: ResponseReader | undefined
  return {
    segments({ direction, bytes }) {
      if (direction === 'response') return reader?.push(bytes) ?? [{ kind: 'extra', bytes }]
      // A request begins a new response, unless it arrives while the last response is still running. If only a close can end
      // the last response, another request means that it has ended, because a proxy opened a new connection for the request.
      const isNext = reader?.untilClose && /^[A-Z]+ $/.test(`${methodOf(bytes)} `)
      if (!reader || reader.complete || isNext) reader = responseReader(methodOf(bytes))
      return [{ kind: 'data', bytes }]
    },
    get reader() {
      return reader
    },
  }
}

/** Describes what closing the connection meant for the response in progress. */
export function describeClose(
  { by, how }: Omit<Closing, 'at'>,
  reader: ResponseReader | undefined,
): { text: string; isFailure: boolean } {
  const who = `${how === 'reset' ? 'reset' : 'closed'} by the ${by}`
  if (!reader || reader.complete) return { text: who, isFailure: false }
  if (by === 'client') {
    // A client may disconnect whenever it has seen enough, so this is not a failure.
    const where = reader.head ? ' in the middle of the response' : ' before the response'
    return { text: `${who}${where}`, isFailure: false }
  }
  if (!reader.head) return { text: `${who} without a response`, isFailure: true }
  if (reader.untilClose && how === 'ended') {
    return { text: `${who}, which ends this response`, isFailure: false }
  }
  return {
    text: `${who} in the middle of the response: the client sees a cut, not an end`,
    isFailure: true,
  }
}

function methodOf(request: Uint8Array): string {
  return String.fromCharCode(...request.subarray(0, 16)).split(' ')[0]!
}
