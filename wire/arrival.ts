import type { RequestHead } from './message-head.ts'

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
  /** The reason why the client has no connection to the server, if that is why its own was closed. */
  why?: string
}

/**
 * Returns whether the hop is the first to see the bytes. For a request this is the client, and for a response the server
 * or the workshop.
 */
export function isFirstSighting({ hop, direction }: Pick<Arrival, 'hop' | 'direction'>): boolean {
  return direction === 'request' ? hop === 'client' : hop === 'server' || hop === 'workshop'
}

/** Returns a request's `Last-Event-ID`, or undefined. */
export function lastEventIdOf({ headers }: Pick<RequestHead, 'headers'>): string | undefined {
  const field = headers.get('last-event-id')
  if (!field) return undefined
  // Browsers send the ID as UTF-8, and each byte of a head has become a character.
  return new TextDecoder().decode(Uint8Array.from(field, (byte) => byte.charCodeAt(0)))
}
