/** An earthquake as a network reported it to the USGS. `time` is ISO 8601 in UTC. `depthKm` may be negative. */
export type Quake = {
  id: string
  time: string
  magnitude: number
  magnitudeType: string
  place: string
  latitude: number
  longitude: number
  depthKm: number
  network: string
  type: string
  status: string
}

/** The source of earthquakes. Each reader opens the feed separately. */
export type Feed = {
  /**
   * Yields the earthquakes from now on, in the order in which they happen. Fetches an earthquake only when you ask for it.
   *
   * The iteration ends by itself after the last earthquake, and throws if the feed fails. When `signal` aborts, the
   * wait for the next earthquake ends immediately, and the iteration ends without an error.
   *
   * Your reader keeps the feed open until the iteration has ended or you have left the loop. While your loop waits for
   * something else, the feed stays open, even after the signal has aborted.
   */
  open(signal: AbortSignal): AsyncIterable<Quake>
}
