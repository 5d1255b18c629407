/**
 * The verdicts on a stream: the three from lesson 4, and two more for events that are delayed, but not until the end.
 */
export const VERDICTS = ['passes', 'head waits', 'late', 'behind', 'holds'] as const

export type MeasuredVerdict = (typeof VERDICTS)[number]

/** The meaning of each verdict. */
export const MEANINGS: Record<MeasuredVerdict, string> = {
  passes: 'the head arrives before the first event, and each event before the next one',
  'head waits': 'the head arrives with the first event, then each event before the next one',
  late: 'each event arrives some time after it was written, even if nothing follows it',
  behind: 'each event arrives only when others follow it, and the last with the end',
  holds: 'the events arrive only at the end, or when there are enough to fill a buffer',
}

/** A setup between a server and a client, in words. */
export type Way = {
  /** The program between server and client: `nginx`. */
  hop: string
  /** The program's configuration, such as `proxy_http_version 1.0`. Empty if the program uses its defaults. */
  setting: string
  /** The server's countermeasure, such as `X-Accel-Buffering: no`. Empty if there is none. */
  server: string
}

/** The result of a measurement. Times are in milliseconds since the server wrote the head. */
export type Measured = {
  /** The version of the program between server and client. */
  version?: string
  /** The time when the head reached the client. */
  head: number
  /** The time when each event was written, and the time when the whole event had reached the client. */
  events: { written: number; arrived: number }[]
  verdict: MeasuredVerdict
  /**
   * The number of times that the server wrote to a silent stream after its client had disconnected, before the server
   * noticed. 0 if it noticed without a write. Absent if it never noticed.
   */
  writesUntilTold?: number
}

/** The reason why a setup could not be measured, such as `there is no nginx`. */
export type NotMeasured = { why: string }
