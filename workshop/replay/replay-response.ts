import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Clock } from './clock.ts'
import type { SavedResponse } from './saved-response.ts'

/**
 * Sends a saved response with its original timing. Each part that arrived together is one write, although TCP may join parts
 * on their way. Stops when the client disconnects.
 */
export async function replayResponse(
  saved: SavedResponse,
  res: ServerResponse,
  clock: Clock,
): Promise<void> {
  const left = new AbortController()
  res.once('close', () => left.abort())
  const began = clock.now()

  /** Waits for a time since the request, because waiting for the gaps would add up the delays of all timers. */
  async function until(at: number): Promise<void> {
    const ms = began + at - clock.now()
    if (ms > 0) await clock.wait(ms, left.signal)
  }

  try {
    await until(saved.headAt)
    writeHead(saved, res)
    // Node sends the head together with the first part, unless that part comes later.
    if (saved.pieces[0]?.at !== saved.headAt) res.flushHeaders()
    for (const { at, bytes } of saved.pieces) {
      await until(at)
      if (!res.write(bytes)) await once(res, 'drain', { signal: left.signal })
    }
    if (saved.end === 'open') return
    await until(saved.endAt)
    await end(saved, res)
  } catch (error) {
    if (!left.signal.aborted) throw error
  }
}

function writeHead({ status, reason, fields, isUntilClose }: SavedResponse, res: ServerResponse) {
  res.sendDate = false
  // Without a length and without chunks, Node ends the response by closing the connection.
  if (isUntilClose) res.removeHeader('Transfer-Encoding')
  const own = fields.filter(({ name }) => !HOP_BY_HOP.has(name.toLowerCase()))
  res.writeHead(
    status,
    reason,
    own.flatMap(({ name, value }) => [name, value]),
  )
}

/** Headers about the connection, which are Node's own task (RFC 9110, section 7.6.1). */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding'])

async function end({ end: how }: SavedResponse, res: ServerResponse): Promise<void> {
  if (how === 'complete') {
    res.end()
    return
  }
  // A reset discards what has not been sent yet.
  await new Promise((resolve) => res.write('', resolve))
  if (how === 'reset') res.socket?.resetAndDestroy()
  else res.socket?.destroySoon()
}
