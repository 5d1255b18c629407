import type { Tools } from './check.ts'
import { turns } from './event-loop.ts'
import { must, type Story } from './failure.ts'

/**
 * Reads a body of so many chunks that only work that is linear in them comes to an end: what takes a moment takes half
 * a minute where each chunk costs as much as all before it. What counts is what the process computes meanwhile, and not
 * how long that takes on a machine that is busy.
 *
 * @param read reads the body to its end
 * @param story told when it costs too much
 */
export async function mustCostLinearly(
  t: Tools,
  chunks: Uint8Array[],
  read: (body: ReadableStream<Uint8Array>) => Promise<void>,
  story: Story,
): Promise<void> {
  const every = Math.ceil(chunks.length / PAUSES)
  let given = 0
  let costMs = 0
  let begun = process.cpuUsage()
  let hasEnded = false
  let paused = (): void => {}
  const body = new ReadableStream<Uint8Array>(
    {
      // Not async: a promise for each chunk would cost more than the rest.
      pull(controller) {
        if (given === chunks.length) return controller.close()
        if (given % every > 0) return controller.enqueue(chunks[given++]!)
        const { user, system } = process.cpuUsage(begun)
        costMs += (user + system) / 1000
        paused()
        return goOn(controller)
      },
    },
    { highWaterMark: 0 },
  )

  async function goOn(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    await turns()
    if (hasEnded) return controller.error(new Error('nobody reads any more'))
    begun = process.cpuUsage()
    controller.enqueue(chunks[given++]!)
  }

  let isRead = false
  const readToTheEnd = async (): Promise<void> => {
    await read(body)
    isRead = true
  }
  const reading = readToTheEnd()
  reading.catch(() => {})
  try {
    while (!isRead) {
      const pause = new Promise<void>((resolve) => {
        paused = resolve
      })
      await t.withTimeout(Promise.race([reading, pause]), {
        seen: 'The body came in, and the reader did not come to an end.',
        expected: 'Expected it to end with the body.',
      })
      must(costMs < MOST_MS, story)
    }
  } finally {
    hasEnded = true
  }
}

/** How often others get a turn meanwhile. */
const PAUSES = 48

/** Linear work takes a fraction of it, byte by byte and on a slow machine, too. */
const MOST_MS = 1500
