/** A group of bytes that crossed a socket. Transcripts, the terminal and the page all show these. */
export type Arrival = {
  /** Milliseconds since the recording began. */
  at: number
  /** The stretch of the route that the bytes crossed: `client` is the last hop, the one that ends at the client. */
  hop: string
  direction: 'request' | 'response'
  bytes: Uint8Array
}

/** Which side closed a connection first, and how: with a FIN, or with a reset. `workshop` is the tap itself. */
export type Closing = {
  at: number
  by: 'client' | 'proxy' | 'server' | 'workshop'
  how: 'ended' | 'reset'
}

/** Returns whether this hop is the first to see the bytes: the client for a request, the server (or the workshop) for a response. */
export function isFirstSighting({ hop, direction }: Pick<Arrival, 'hop' | 'direction'>): boolean {
  return direction === 'request' ? hop === 'client' : hop === 'server' || hop === 'workshop'
}

/** Returns the request's `Last-Event-ID`, or undefined. */
export function lastEventIdOf({
  direction,
  bytes,
}: Pick<Arrival, 'direction' | 'bytes'>): string | undefined {
  if (direction !== 'request') return undefined
  const text = new TextDecoder().decode(bytes)
  const [head] = text.split('\r\n\r\n')
  return /^last-event-id:[ \t]*(\S.*?)[ \t]*$/im.exec(head!)?.[1]
}
