/** Bytes that crossed a socket: the one record from which transcripts, the terminal and the page are drawn. */
export type Arrival = {
  /** Milliseconds since the recording began. */
  at: number
  /** Between whom: `client` is the last hop, nearest to the reader. */
  hop: string
  direction: 'request' | 'response'
  bytes: Uint8Array
}
