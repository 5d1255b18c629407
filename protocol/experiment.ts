/** The verdicts on a stream: the three of lesson 4, and two more for events that wait, but not until the end. */
export const VERDICTS = ['passes', 'head waits', 'late', 'behind', 'holds'] as const

export type MeasuredVerdict = (typeof VERDICTS)[number]

/** A setup between a server and a client, in words. */
export type Way = {
  /** The program in between: `nginx`. */
  hop: string
  /** How that program is configured, such as `proxy_http_version 1.0`. Empty for its defaults. */
  setting: string
  /** What the server does about it, such as `X-Accel-Buffering: no`. Empty for nothing. */
  server: string
}

/** The result of a measurement. Times are milliseconds since the server wrote the head. */
export type Measured = {
  /** The version of the program in between. */
  version?: string
  /** When the head reached the client. */
  head: number
  /** When each event was written, and when all of it had reached the client. */
  events: { written: number; arrived: number }[]
  verdict: MeasuredVerdict
  /**
   * How many times the server wrote after the client had left a silent stream, before it learned of the disconnect. 0 if
   * it learned of it without a write. Absent if it never did.
   */
  writesUntilTold?: number
}

/** The reason why nothing could be measured, such as `there is no nginx`. */
export type NotMeasured = { why: string }
