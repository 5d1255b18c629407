/** One earthquake as a network reported it to the USGS. `time` is ISO 8601 in UTC; `depthKm` may be negative. */
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

/** Where earthquakes come from. Each reader opens the feed for itself. */
export type Feed = {
  /**
   * Earthquakes in the order they happen, from now on. The next one is fetched when you ask for it.
   *
   * The iteration ends by itself when there will be no more earthquakes, and throws when the feed fails.
   * When `signal` aborts, the wait for the next one ends at once, and the iteration with it, without an error.
   * The feed is held open for you until the iteration has ended or you have left the loop: a reader that
   * waits for something else holds it, whatever its signal says.
   */
  open(signal: AbortSignal): AsyncIterable<Quake>
}
