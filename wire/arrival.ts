/** A group of bytes that crossed a socket together. Transcripts, the terminal and the page show arrivals. */
export type Arrival = {
  /** The time in milliseconds since the recording began. */
  at: number
  /** The hop that the bytes crossed. `client` is the last hop, which ends at the client. */
  hop: string
  direction: 'request' | 'response'
  bytes: Uint8Array
}

/**
 * The side that closed a connection first, and whether it did so with a FIN or with a reset. `workshop` is the tap
 * itself.
 */
export type Closing = {
  at: number
  by: 'client' | 'proxy' | 'server' | 'workshop'
  how: 'ended' | 'reset'
}

/**
 * Returns whether the hop is the first to see the bytes. For a request this is the client, and for a response the server
 * or the workshop.
 */
export function isFirstSighting({ hop, direction }: Pick<Arrival, 'hop' | 'direction'>): boolean {
  return direction === 'request' ? hop === 'client' : hop === 'server' || hop === 'workshop'
}

/** Returns a request's `Last-Event-ID`, or undefined. */
export function lastEventIdOf({
  direction,
  bytes,
}: Pick<Arrival, 'direction' | 'bytes'>): string | undefined {
  if (direction !== 'request') return undefined
  const text = new TextDecoder().decode(bytes)
  const [head] = text.split('\r\n\r\n')
  return /^last-event-id:[ \t]*(\S.*?)[ \t]*$/im.exec(head!)?.[1]
}
