import type { ServerResponse } from 'node:http'
import type { Events } from './events.ts'

/** Answers a request in one of the ways in which an answer can end. The text before the ending is "Hello". */
export type Ending = (res: ServerResponse, events: Events) => void

/** The ending that the client decides on. */
export const ABORT = 'abort() by the client'

/** The endings, by name, in the order of the table. */
export const ENDINGS: Record<string, Ending> = {
  'complete answer': (res, { reason, end }) => res.end(reason + end),
  'clean end, nothing else': (res) => res.end(),
  'a reason, but no last event': (res, { reason }) => res.end(reason),
  'half an event, clean end': (res, { token }) => res.end(token(' world').slice(0, -9)),
  'connection cut': (res) => res.destroy(),
  'error event': (res, { error }) => res.end(error),
  'unknown event, complete answer': (res, { unknown, reason, end }) =>
    res.end(unknown + reason + end),
  'token after the last event': (res, { reason, end, token }) =>
    res.end(reason + end + token(' world')),
  // The response stays open, and the client aborts after "Hello".
  [ABORT]: () => {},
}
