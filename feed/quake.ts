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
   * The iteration ends at once, without an error, when `signal` aborts or when you leave the loop.
   * It ends by itself when there will be no more earthquakes, and throws when the feed fails.
   */
  open(signal: AbortSignal): AsyncIterable<Quake>
}
