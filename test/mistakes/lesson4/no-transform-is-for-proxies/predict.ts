// fails: 4.1d
// says: compression() obeys
/** What stands between a server that streams events and its client. nginx is as it comes, but for what is said. */
export type Hop =
  // The server says nothing to nginx:
  | 'nginx, HTTP/1.0'
  | 'nginx, HTTP/1.1'
  | 'nginx, HTTP/1.1, gzip'
  // The server sends X-Accel-Buffering: no
  | 'nginx, HTTP/1.0, told not to buffer'
  | 'nginx, HTTP/1.1, told not to buffer'
  | 'nginx, HTTP/1.1, gzip, told not to buffer'
  // No proxy, but this middleware in the server, and a client that takes gzip:
  | 'compression()'
  | 'compression(), flush() after each event'
  | 'compression(), Cache-Control: no-transform'

/**
 * `passes`: the head is at the client before there is an event, and then each event before the next one.
 * `head waits`: the head comes with the first event; then each event comes before the next one.
 * `holds`: the events wait for the end, or until there are enough of them to fill a buffer.
 */
export type Verdict = 'passes' | 'head waits' | 'holds'

/** What becomes of a stream of small events on its way. */
export function predict(hop: Hop): Verdict {
  const verdicts: Record<Hop, Verdict> = {
    // No chunks, no end but the close: nginx fills a buffer of 4 KiB, head and all.
    'nginx, HTTP/1.0': 'holds',
    // Each chunk is passed on when it is complete. The head goes out with the first.
    'nginx, HTTP/1.1': 'head waits',
    // The compressor waits for more, and nobody asks it to flush.
    'nginx, HTTP/1.1, gzip': 'holds',
    'nginx, HTTP/1.0, told not to buffer': 'passes',
    'nginx, HTTP/1.1, told not to buffer': 'passes',
    'nginx, HTTP/1.1, gzip, told not to buffer': 'passes',
    'compression()': 'holds',
    'compression(), flush() after each event': 'passes',
    'compression(), Cache-Control: no-transform': 'holds',
  }
  return verdicts[hop]
}
