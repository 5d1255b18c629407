import type { Asked } from '../../workshop/hops/ask.ts'
import type { StreamEvent } from '../../workshop/hops/stream-events.ts'

/** Writes an answer as a test reads it: the head, and the text of each piece with the time at which it arrived. */
export function answered(
  pieces: [at: number, text: string][],
  {
    asked = 0,
    head = asked,
    status = 200,
    headers = {},
    ended,
  }: {
    asked?: number
    head?: number
    status?: number
    headers?: Record<string, string>
    ended?: Asked['ended']
  } = {},
): Asked {
  const url = 'http://app.test/events'
  return {
    requested: url,
    url,
    redirects: [],
    asked,
    connectMs: 1,
    head: {
      at: head,
      status,
      text: status === 200 ? 'OK' : 'Error',
      version: '1.1',
      headers: { 'content-type': 'text/event-stream', ...headers },
    },
    pieces: pieces.map(([at, text]) => ({ at, bytes: Buffer.from(text) })),
    received: pieces.reduce((sum, [, text]) => sum + text.length, 0),
    ...(ended && { ended }),
  }
}

/** Returns an answer of which nothing has arrived yet, or that has failed. */
export function unanswered(problem?: string): Asked {
  const { head: _, ...asked } = answered([])
  return { ...asked, ...(problem !== undefined && { problem }) }
}

/** Returns one event per piece: `id: 1`, `data: 1`, and so on. */
export function ticks(times: number[], { from = 1, id = true } = {}): [number, string][] {
  return times.map((at, n) => [at, `${id ? `id: ${from + n}\n` : ''}data: ${from + n}\n\n`])
}

/** Returns `count` times at a regular interval. */
export function every(ms: number, count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, n) => from + n * ms)
}

export function event(at: number, text: string, id?: string): StreamEvent {
  return { at, text, size: text.length, ...(id !== undefined && { id }) }
}
