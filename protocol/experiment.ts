/** What becomes of a stream: the words of the lesson, and two for events that wait, but not for the end. */
export const VERDICTS = ['passes', 'head waits', 'late', 'behind', 'holds'] as const

export type MeasuredVerdict = (typeof VERDICTS)[number]

/** A way from a server to a client, in words. */
export type Way = {
  /** What stands between: `nginx`. */
  hop: string
  /** How it is set up: `proxy_http_version 1.0`. Its defaults when this is empty. */
  setting: string
  /** What the server does: `X-Accel-Buffering: no`. Nothing when this is empty. */
  server: string
}

/** What became of a stream on its way. Times are milliseconds since the head was written. */
export type Measured = {
  /** Of the program that stood between. */
  version?: string
  /** When the head was at the client. */
  head: number
  /** When each event was written, and when all of it was at the client. */
  events: { written: number; arrived: number }[]
  verdict: MeasuredVerdict
  /**
   * How often the server wrote to a client that had left a silent stream, until it was told: 0 when it was told without
   * a write. Absent when it never was.
   */
  writesUntilTold?: number
}

/** There was nothing to measure: `there is no nginx`. */
export type NotMeasured = { why: string }
