import { getEventListeners } from 'node:events'
import type { Feed, Quake } from '#feed'
import { describeQuake } from './quakes.ts'
import type { Transcript } from './transcript.ts'

/**
 * A feed whose quakes the check releases. Every reader receives every quake, from the first one on, in order and on
 * demand.
 */
export type ControlledFeed = Feed & {
  /** Releases quakes to the readers. */
  release(...quakes: Quake[]): void
  /** Ends the feed. */
  end(): void
  /** Makes the feed fail with a FeedError. */
  fail(message: string): void
  /** Whether a quake has been released, or the feed has ended or failed. */
  readonly hasHappened: boolean
  /** The readers, in the order in which they opened the feed. */
  readonly readers: readonly FeedReader[]
  /** The number of readers that have the feed open. A reader that has never pulled does not count, because it costs nothing. */
  readonly openReaders: number
}

/** The error that a failed feed throws to its readers. It never counts as a mistake in the learner's code. */
export class FeedError extends Error {}

export type FeedReader = {
  /** The number of quakes that were delivered to this reader. */
  readonly delivered: number
  /** Whether the reader has asked for a quake. Opening a feed without reading it costs nothing. */
  readonly hasPulled: boolean
  /** Whether the reader's signal has aborted. */
  readonly aborted: boolean
  /** The number of listeners on the reader's signal. */
  readonly signalListeners: number
  /** Whether the reader is closed. A reader closes if it pulls after its signal has aborted, leaves its loop, or reaches the end of the feed. */
  readonly closed: boolean
}

type Happening = { quake: Quake } | { error: Error | undefined }

export function controlledFeed(transcript: Transcript): ControlledFeed {
  const happened: Happening[] = []
  const readers: FeedReader[] = []
  const waiting = new Set<() => void>()

  function happen(...happenings: Happening[]): void {
    happened.push(...happenings)
    wake()
  }

  function wake(): void {
    const resume = [...waiting]
    waiting.clear()
    for (const go of resume) go()
  }

  function open(signal: AbortSignal): AsyncIterable<Quake> {
    const reader = {
      delivered: 0,
      hasPulled: false,
      aborted: signal.aborted,
      closed: signal.aborted,
      get signalListeners() {
        return getEventListeners(signal, 'abort').length
      },
    }
    readers.push(reader)
    const number = readers.length

    const close = (): void => {
      if (reader.hasPulled && !reader.closed) transcript.step(`feed closed by reader ${number}`)
      reader.closed = true
      wake()
    }
    const abort = (): void => {
      reader.aborted = true
      // Close a reader that has never pulled, because it holds no resources. Other readers close at their next pull, as generators do.
      if (!reader.hasPulled) reader.closed = true
      wake()
    }
    signal.addEventListener('abort', abort, { once: true })

    async function next(): Promise<IteratorResult<Quake, undefined>> {
      if (!reader.hasPulled && !reader.closed) transcript.step(`feed opened by reader ${number}`)
      reader.hasPulled = true
      for (;;) {
        if (reader.aborted) close()
        if (reader.closed) return { done: true, value: undefined }
        const happening = happened[reader.delivered]
        if (!happening) {
          await new Promise<void>((resolve) => waiting.add(resolve))
        } else if ('quake' in happening) {
          reader.delivered += 1
          return { done: false, value: happening.quake }
        } else {
          reader.closed = true
          if (happening.error) throw happening.error
        }
      }
    }

    async function leave(): Promise<IteratorResult<Quake, undefined>> {
      close()
      return { done: true, value: undefined }
    }

    return { [Symbol.asyncIterator]: () => ({ next, return: leave }) }
  }

  return {
    open,
    readers,
    get openReaders() {
      return readers.filter(({ hasPulled, closed }) => hasPulled && !closed).length
    },
    get hasHappened() {
      return happened.length > 0
    },
    release(...quakes) {
      const first = happened.length + 1
      const last = happened.length + quakes.length
      transcript.step(
        quakes.length === 1
          ? `feed released quake ${first}: ${describeQuake(quakes[0]!)}`
          : `feed released quakes ${first} to ${last}`,
      )
      happen(...quakes.map((quake) => ({ quake })))
    },
    end() {
      transcript.step('feed ended')
      happen({ error: undefined })
    },
    fail(message) {
      transcript.step(`feed failed: ${message}`)
      happen({ error: new FeedError(message) })
    },
  }
}
