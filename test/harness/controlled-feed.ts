import type { Feed, Quake } from '#feed'
import { describeQuake } from './quakes.ts'
import type { Transcript } from './transcript.ts'

/**
 * A feed whose quakes happen when the check says so. Every reader is given every quake from the first
 * one on, in order, each when it asks for it.
 */
export type ControlledFeed = Feed & {
  /** Makes quakes happen. */
  release(...quakes: Quake[]): void
  /** Ends the feed: no more quakes. */
  end(): void
  /** Makes the feed fail with a FeedError. */
  fail(message: string): void
  /** A quake, or its end. */
  readonly hasHappened: boolean
  /** One for each time the feed was opened, in order. */
  readonly readers: readonly FeedReader[]
  /** How many readers have it open. One that was opened and never asked costs nothing. */
  readonly openReaders: number
}

/** What a reader of a feed that failed gets thrown: the work did nothing wrong. */
export class FeedError extends Error {}

export type FeedReader = {
  /** How many quakes it was given. */
  readonly delivered: number
  /** It has asked for a quake, so somebody iterates. A feed opened and never read costs nothing. */
  readonly hasPulled: boolean
  /** Its signal has aborted. */
  readonly aborted: boolean
  /** It has gone: it came back after its signal had aborted, it left the loop, or the feed came to its end. */
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
      // One that was never asked holds nothing. Another is let go of when its reader comes back, as a generator is.
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
