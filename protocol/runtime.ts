import type { Quake } from '#feed'

/**
 * What the workshop tells the process that runs a learner's program: the server.ts to run, once; later, to let quakes happen. Or the
 * client.ts to run on a URL.
 */
export type RuntimeOrder =
  /** `since` is when the earthquakes of a server with a history began, in milliseconds. */
  | { file: string; countLeaks: boolean; since: number }
  | { burst: number }
  | { file: string; url: string }

/** What the process that runs a learner's program tells the workshop. */
export type RuntimeMessage =
  /** It begins with the file. */
  | { kind: 'loading' }
  | { kind: 'running'; port: number }
  /** A stub: `lesson 1, task 1.1: write createApp()`. */
  | { kind: 'not written'; what: string }
  | { kind: 'failed'; when: 'loading' | 'running'; thrown: string }
  /** So many readers have the feed open now. */
  | { kind: 'feed'; readers: number }
  | { kind: 'leaks'; leaks: Leaks }
  /** After a burst: when the earthquakes would have begun for it to have come by itself. */
  | { kind: 'since'; since: number }
  /** Of a client.ts: */
  | { kind: 'connection'; state: ConnectionState }
  | { kind: 'quake'; quake: Quake }
  | { kind: 'gap' }

/** Where a client.ts stands with its connection. */
export type ConnectionState =
  | { name: 'connecting' | 'open' | 'over' }
  /** It was lost, and `why`. In `ms` milliseconds the client tries again. */
  | { name: 'waiting'; ms: number; why: string }

/** What the program has running, and what it should not have any more. */
export type Leaks = {
  intervals: number
  clients: number
  /** Writes to responses whose client had gone. */
  lostWrites: number
}
