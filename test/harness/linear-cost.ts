import type { Tools } from './check.ts'
import { turns } from './event-loop.ts'
import { must, type Story } from './failure.ts'

/**
 * Reads a body of so many chunks that only an algorithm with linear cost finishes in time. If each chunk costs as much as
 * all the chunks before it, a few milliseconds become half a minute. Only the CPU time of this process counts, so a busy
 * machine makes no difference.
 *
 * @param read reads the body to its end
 * @param story the failure to report if the cost is too high
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
      // Do not use an async function, because a promise per chunk would cost more than everything else.
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
    if (hasEnded) return controller.error(new Error('the check has ended'))
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
        seen: 'The whole body arrived, but your reader did not finish.',
        expected: 'Expected your reader to finish at the end of the body.',
      })
      must(costMs < MOST_MS, story)
    }
  } finally {
    hasEnded = true
  }
}

/** The number of times that reading pauses, so that the event loop gets a turn. */
const PAUSES = 48

/** The limit on the CPU time. A linear algorithm needs only a fraction of it, even byte by byte on a slow machine. */
const MOST_MS = 1500
