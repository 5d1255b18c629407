import type { Arrival, Closing } from './arrival.ts'
import { responseReader, type ResponseReader, type Segment } from './response.ts'

/** Follows what one connection says on one hop, arrival by arrival. */
export type Conversation = {
  /** The stretches of HTTP that an arrival completes or continues. A request is one stretch of `data`. */
  segments(arrival: Pick<Arrival, 'direction' | 'bytes'>): Segment[]
  /** Reads the response that is on its way, or came last; undefined before the first request. */
  readonly reader: ResponseReader | undefined
}

export function conversation(): Conversation {
  let reader: ResponseReader | undefined
  return {
    segments({ direction, bytes }) {
      if (direction === 'response') return reader?.push(bytes) ?? [{ kind: 'extra', bytes }]
      // A request begins a response, unless the last one is still on its way. One that only a close can end has
      // ended when there is another request: a proxy has made a new connection for it.
      const isNext = reader?.untilClose && /^[A-Z]+ $/.test(`${methodOf(bytes)} `)
      if (!reader || reader.complete || isNext) reader = responseReader(methodOf(bytes))
      return [{ kind: 'data', bytes }]
    },
    get reader() {
      return reader
    },
  }
}

/** Says in a sentence what the end of a connection means for the response that was on its way. */
export function describeClose(
  { by, how }: Omit<Closing, 'at'>,
  reader: ResponseReader | undefined,
): { text: string; isFailure: boolean } {
  const who = `${how === 'reset' ? 'reset' : 'closed'} by the ${by}`
  if (!reader || reader.complete) return { text: who, isFailure: false }
  if (by === 'client') {
    // A client that has seen enough may leave: that is not a failure.
    const where = reader.head ? ': it left in the middle of the response' : ', before a response'
    return { text: `${who}${where}`, isFailure: false }
  }
  if (!reader.head) return { text: `${who}, without a response`, isFailure: true }
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
