import type { Arrival } from './arrival.ts'
import { conversation } from './conversation.ts'
import { latin1 } from './message-head.ts'
import { NOTHING } from './segment.ts'

/** Rewrites the heads on one connection, so that a server under another name can be used through the wire. */
export type HeadRewriter = {
  /** Returns the bytes to pass on. Keeps those of an incomplete head. */
  rewrite(direction: Arrival['direction'], bytes: Uint8Array): Uint8Array
  /** Returns the bytes that are still kept, when a side has ended. */
  rest(direction: Arrival['direction']): Uint8Array
}

/**
 * Creates a rewriter. It replaces the `Host` of requests with that of the server, and the server's origin at the beginning of
 * a `Location` with that of the wire.
 */
export function headRewriter({ server, wire }: { server: URL; wire: string }): HeadRewriter {
  const talk = conversation()
  const kept = { request: NOTHING, response: NOTHING }

  function rewritten(direction: Arrival['direction'], head: string): string {
    if (direction === 'request') return head.replace(/^(host:[ \t]*)\S*/im, `$1${server.host}`)
    return head.replace(/^(location:[ \t]*)(\S*)/im, (_line, name: string, location: string) => {
      const isServers = URL.canParse(location) && new URL(location).origin === server.origin
      return `${name}${isServers ? location.replace(/^https?:\/\/[^/?#]*/i, wire) : location}`
    })
  }

  return {
    rewrite(direction, bytes) {
      const pieces: Uint8Array[] = []
      const whole = Buffer.concat([kept[direction], bytes])
      talk.push({ direction, bytes }, (kind, sent, from, to) => {
        const piece = sent.subarray(from, to)
        const isHead = kind === 'head' || kind === 'interim'
        pieces.push(isHead ? Buffer.from(rewritten(direction, latin1(piece)), 'latin1') : piece)
      })
      kept[direction] = whole.subarray(whole.length - talk.next(direction).waiting)
      return Buffer.concat(pieces)
    },
    rest: (direction) => kept[direction],
  }
}
