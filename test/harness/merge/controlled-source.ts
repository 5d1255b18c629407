import type { Quake } from '#feed'
import type { Source } from '#work/08-many-sources/merge.ts'
import { describeError } from '../failure.ts'
import { describeQuake } from '../quakes.ts'
import type { Transcript } from '../transcript.ts'

/**
 * A source whose quakes the check releases. It works like a generator: it does not obey `return()` before a pending
 * `next()` has settled, and closes when its signal aborts.
 */
export type ControlledSource = Source & {
  release(...quakes: Quake[]): void
  end(): void
  /** Makes the source fail, after the quakes that have been released. */
  fail(error: unknown): void
  /** The number of calls of `open()`. */
  readonly opened: number
  /** The number of quakes that have been released. */
  readonly released: number
  /** The number of calls of `next()`. */
  readonly pulls: number
  /** Whether the signal that was passed to `open()` has aborted. */
  readonly isAborted: boolean
  /** Whether `return()` was called. */
  readonly isReturned: boolean
  /** Whether the source is being read: it was pulled, and has neither ended nor failed nor been closed. */
  readonly isOpen: boolean
}

export type Manner = {
  /** Whether the source continues after its signal has aborted. */
  ignoresSignal?: boolean
  /** Whether the source throws when its signal aborts, as `events.on()` and `fetch()` do. */
  throwsOnAbort?: boolean
}

export function controlledSource(
  transcript: Transcript,
  name: string,
  { ignoresSignal = false, throwsOnAbort = false }: Manner = {},
): ControlledSource {
  const happened: ({ quake: Quake } | { end: true } | { error: unknown })[] = []
  let wake = (): void => {}
  let opened = 0
  let released = 0
  let pulls = 0
  let signalOf: AbortSignal | undefined
  let isReturned = false
  let isOpen = false

  async function* read(signal: AbortSignal): AsyncGenerator<Quake, undefined> {
    isOpen = true
    try {
      for (;;) {
        if (signal.aborted && throwsOnAbort) throw signal.reason
        if (signal.aborted && !ignoresSignal) return
        const happening = happened.shift()
        if (!happening) await new Promise<void>((resolve) => (wake = resolve))
        else if ('quake' in happening) yield happening.quake
        else if ('error' in happening) throw happening.error
        else return
      }
    } finally {
      isOpen = false
      transcript.step(`source "${name}" closed`)
    }
  }

  function happen(...happenings: typeof happened): void {
    happened.push(...happenings)
    wake()
  }

  return {
    name,
    open(signal) {
      opened += 1
      signalOf = signal
      signal.addEventListener('abort', () => wake(), { once: true })
      const iteration = read(signal)
      return {
        [Symbol.asyncIterator]: () => ({
          next() {
            pulls += 1
            return iteration.next()
          },
          return() {
            isReturned = true
            return iteration.return(undefined)
          },
        }),
      }
    },
    release(...quakes) {
      released += quakes.length
      transcript.step(
        quakes.length === 1
          ? `source "${name}" released ${describeQuake(quakes[0]!)}`
          : `source "${name}" released ${quakes.length} quakes`,
      )
      happen(...quakes.map((quake) => ({ quake })))
    },
    end() {
      transcript.step(`source "${name}" ended`)
      happen({ end: true })
    },
    fail(error) {
      transcript.step(`source "${name}" failed: ${describeError(error)}`)
      happen({ error })
    },
    get opened() {
      return opened
    },
    get released() {
      return released
    },
    get pulls() {
      return pulls
    },
    get isAborted() {
      return signalOf?.aborted ?? false
    },
    get isReturned() {
      return isReturned
    },
    get isOpen() {
      return isOpen
    },
  }
}
