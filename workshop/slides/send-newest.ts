import type { ServerResponse } from 'node:http'
import { encodeEvent } from '../../solutions/02-server-sent-events/encode.ts'

/** A value that changes, and of which only the newest version counts. */
export type Newest<Message> = {
  /** The number of changes so far. Before the first change, there is nothing to send. */
  readonly version: number
  /** Returns the current version as a message. */
  message(): Message
  /** Calls `changed` after each change. Returns a function that stops the calls. */
  listen(changed: () => void): () => void
}

/**
 * Sends the newest version of a value to one client, until the client disconnects. A client that reconnects or reads slowly
 * skips the versions in between. Regularly sends `alive`, so that the client can distinguish a dead connection from a value
 * that does not change.
 *
 * @param options.epoch identifies this start of the deck, because each start counts versions from 0
 * @param options.lastEventId the client's `Last-Event-ID`
 */
export function sendNewest<Message>({
  source,
  epoch,
  lastEventId,
  res,
}: {
  source: Newest<Message>
  epoch: string
  lastEventId: string | undefined
  res: ServerResponse
}): void {
  // Already disconnected: 'close' will not fire again.
  if (res.destroyed) return
  let sent = lastEventId === `${epoch}.${source.version}` ? source.version : 0
  res.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-store, no-transform',
    'X-Accel-Buffering': 'no',
  })
  res.write(encodeEvent({ retry: 1000 }))
  write({ type: 'alive' })
  tell()

  function tell(): void {
    if (sent === source.version || res.writableNeedDrain) return
    sent = source.version
    write(source.message(), `${epoch}.${sent}`)
  }

  function write(message: Message | { type: 'alive' }, id?: string): void {
    res.write(encodeEvent({ data: JSON.stringify(message), ...(id && { id }) }))
  }

  const stopListening = source.listen(tell)
  res.on('drain', tell)
  const alive = setInterval(() => res.writableNeedDrain || write({ type: 'alive' }), ALIVE_EVERY_MS)
  res.once('close', () => {
    stopListening()
    clearInterval(alive)
  })
}

const ALIVE_EVERY_MS = 5000
