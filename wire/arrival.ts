/** Bytes that crossed a socket: the one record from which transcripts, the terminal and the page are drawn. */
export type Arrival = {
  /** Milliseconds since the recording began. */
  at: number
  /** Between whom: `client` is the last hop, nearest to the reader. */
  hop: string
  direction: 'request' | 'response'
  bytes: Uint8Array
}

/** Who closed a connection first (the workshop: the tap itself), and how: in order, or by a reset. */
export type Closing = {
  at: number
  by: 'client' | 'proxy' | 'server' | 'workshop'
  how: 'ended' | 'reset'
}

/** Tells whether bytes are seen here first: a request at the client, a response at the server or where it was made. */
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
