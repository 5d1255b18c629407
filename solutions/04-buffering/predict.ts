/** A setup between a server that streams events and its client. nginx has its default settings, except where stated. */
export type Hop =
  // The server sends no instructions to nginx:
  | 'nginx, HTTP/1.0'
  | 'nginx, HTTP/1.1'
  | 'nginx, HTTP/1.1, gzip'
  // The server sends X-Accel-Buffering: no
  | 'nginx, HTTP/1.0, told not to buffer'
  | 'nginx, HTTP/1.1, told not to buffer'
  | 'nginx, HTTP/1.1, gzip, told not to buffer'
  // No proxy, but this middleware in the server, and a client that accepts gzip:
  | 'compression()'
  | 'compression(), flush() after each event'
  | 'compression(), Cache-Control: no-transform'

/**
 * `passes`: the head arrives before the first event is sent, and each event before the next one.
 * `head waits`: the head arrives together with the first event, and each event before the next one.
 * `holds`: the events wait until the response ends or a buffer is full.
 */
export type Verdict = 'passes' | 'head waits' | 'holds'

/** Returns what a hop does to a stream of small events. */
export function predict(hop: Hop): Verdict {
  // #region 4.1 predict()
  const verdicts: Record<Hop, Verdict> = {
    // HTTP/1.0 has no chunks, so nginx fills a buffer of 4 KiB, starting with the head.
    'nginx, HTTP/1.0': 'holds',
    // nginx passes on each complete chunk, and sends the head with the first chunk.
    'nginx, HTTP/1.1': 'head waits',
    // The compressor waits for more input, because nothing tells it to flush.
    'nginx, HTTP/1.1, gzip': 'holds',
    'nginx, HTTP/1.0, told not to buffer': 'passes',
    'nginx, HTTP/1.1, told not to buffer': 'passes',
    'nginx, HTTP/1.1, gzip, told not to buffer': 'passes',
    'compression()': 'holds',
    'compression(), flush() after each event': 'passes',
    'compression(), Cache-Control: no-transform': 'passes',
  }
  return verdicts[hop]
  // #endregion
}
