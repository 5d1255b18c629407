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

/** The source of earthquakes. Each reader opens the feed for itself. */
export type Feed = {
  /**
   * Yields the earthquakes from now on, in the order in which they happen. Fetches an earthquake only when you ask for it.
   *
   * The iteration ends by itself when there will be no more earthquakes, and throws if the feed fails. When `signal` aborts,
   * the wait for the next earthquake ends at once, and the iteration ends without an error.
   *
   * The feed stays open for you until the iteration has ended or you have left the loop. A reader that waits for
   * something else inside its loop keeps the feed open, even after its signal has aborted.
   */
  open(signal: AbortSignal): AsyncIterable<Quake>
}
