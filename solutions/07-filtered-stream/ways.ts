/** A way to change what a client watches. */
export type Way = 'rules' | 'control channel' | 'make before break' | 'reconnect'

/** The connections that the client opened, the quakes that it never got, and the quakes that it got twice. */
export type Measured = { connections: number; lost: number; twice: number }

/** Returns what `npm run lesson 7 exhibit` has measured for twenty changes. */
export function measured(): Record<Way, Measured> {
  // #region 7.1 measured()
  return {
    // One connection for the stream, and one that all POSTs share.
    rules: { connections: 2, lost: 0, twice: 0 },
    'control channel': { connections: 2, lost: 0, twice: 0 },
    // The quakes that happened while both streams were open. A client that remembers IDs can drop them.
    'make before break': { connections: 21, lost: 0, twice: 19 },
    // The quakes that happened while no stream was open.
    reconnect: { connections: 21, lost: 19, twice: 0 },
  }
  // #endregion
}
