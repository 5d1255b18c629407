/** Starts the server of a lesson. */
export type Start = {
  lesson: number
  /** The folder with the lesson's files. */
  folder: string
  redisUrl?: string
}

/** A message from a server's process: its port, or an answer to the order `measure`. */
export type FromServer = { port: number } | { reading: Reading }

/** What a server holds, after a garbage collection. */
export type Reading = {
  /** Open readers of the feed, or listeners of the history or source. */
  listeners: number
  timers: number
  sockets: number
  /** Responses that are still in memory. */
  responses: number
  /** How many of these responses wait for their client to read. */
  full: number
  heapMB: number
}
