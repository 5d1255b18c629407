import type { Quake } from '#feed'

/**
 * A message from the workshop to the process that runs a learner's program. The first message names the server.ts to run,
 * or a client and its URL. Later messages release a burst of quakes, or slow clients down.
 */
export type RuntimeOrder =
  /**
   * Runs a server.ts. If the server has a history, `since` is the time, in milliseconds, at which its earthquakes
   * began. If there is a `limit`, passes it to `createApp()`.
   */
  | { file: string; countLeaks: boolean; since: number; limit?: number }
  | { burst: number }
  /** Makes the network buffers of clients look full. A client is named by its own port. */
  | { fill: number[] | 'all' }
  /** Lets all clients read again. */
  | { drain: true }
  | { file: string; url: string }
  /** Runs a process.ts, as one of several processes. */
  | { file: string; redisUrl: string }
  /** Stops a process.ts, as in a rolling restart. */
  | { stop: true }

/** A message to the workshop from the process that runs a learner's program. */
export type RuntimeMessage =
  /** The process is beginning to load the file. */
  | { kind: 'loading' }
  | { kind: 'running'; port: number }
  /** The file is still a stub: `lesson 1, task 1.1: write createApp()`. */
  | { kind: 'not written'; what: string }
  | { kind: 'failed'; when: 'loading' | 'running'; thrown: string }
  /** The number of readers that have the feed open now. */
  | { kind: 'feed'; readers: number }
  | { kind: 'leaks'; leaks: Leaks }
  /** Sent every second by a server with many sources. */
  | { kind: 'load'; load: Load }
  /** Sent by a server of answers, whenever a token has been generated, and when an answer begins or ends. */
  | { kind: 'meter'; meter: Meter }
  /**
   * Sent after a burst. If the replay had started at `since`, the same quakes would have happened by now without the
   * burst.
   */
  | { kind: 'since'; since: number }
  // The following messages come from a client.
  | { kind: 'connection'; state: ConnectionState }
  | { kind: 'quake'; quake: Quake }
  | { kind: 'gap' }

/** The state of a client's connection. */
export type ConnectionState =
  | { name: 'connecting' | 'open' | 'over' }
  /** The connection was lost, for the reason `why`. The client reconnects in `ms` milliseconds. */
  | { name: 'waiting'; ms: number; why: string }

/** The memory of a server's process, in bytes, and the number of quakes that the server has taken from its sources. */
export type Load = { heap: number; external: number; rss: number; taken: number }

/** The number of tokens that have been generated so far, and the number of answers that are being generated now. */
export type Meter = { tokens: number; answers: number }

/** Counts of what the program still has running, which make leaks visible. */
export type Leaks = {
  intervals: number
  clients: number
  /** The number of writes to responses whose client had disconnected. */
  lostWrites: number
}
