/** What the workshop tells the process of a demo: the server.ts to run, once; later, to let quakes happen. */
export type Order = { file: string; countLeaks: boolean } | { burst: number }

/** What the process of a demo tells the workshop. */
export type Message =
  /** It begins with the file. */
  | { kind: 'loading' }
  | { kind: 'running'; port: number }
  /** A stub: `lesson 1, task 1.1: write createApp()`. */
  | { kind: 'not written'; what: string }
  | { kind: 'failed'; when: 'loading' | 'running'; thrown: string }
  /** So many readers have the feed open now. */
  | { kind: 'feed'; readers: number }
  | { kind: 'leaks'; leaks: Leaks }

/** What the program has running, and what it should not have any more. */
export type Leaks = {
  intervals: number
  clients: number
  /** Writes to responses whose client had gone. */
  lostWrites: number
}
