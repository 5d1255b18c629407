/** What becomes of a stream: the words of the lesson, and `late`. */
export const VERDICTS = ['passes', 'head waits', 'late', 'holds'] as const

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
  /** When the server was told that a client had left, while the stream was silent. */
  told: 'at once' | 'at the next write' | 'never'
}

/** There was nothing to measure: `there is no nginx`. */
export type NotMeasured = { why: string }
