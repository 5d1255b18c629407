import type { Quake } from '#feed'
import type { Entry, History, Listener } from '#work/05-reconnection/history.ts'
import { FeedError } from './controlled-feed.ts'
import { describeQuake } from './quakes.ts'
import type { Transcript } from './transcript.ts'

/** A history that reads as slowly as the check likes. Its first ids grow smaller: nobody is to compare them. */
export type FakeHistory = History & {
  /** Makes quakes happen. Gives their ids. */
  append(...quakes: Quake[]): string[]
  end(): void
  /**
   * Lets whoever reads wait from now on.
   *
   * @param answer what the readers get when they are let go: what there was when they asked, or what there is
   */
  blockReads(answer: 'as it was' | 'as it is'): void
  /** Answers the readers that wait, and those that come. */
  unblockReads(): void
  /** Makes the next reading fail with this message, or the next few. */
  failNext(message: string, readings?: number): void
  /** How many readers wait. */
  readonly blockedReads: number
  /** How many listeners there are. */
  readonly listenerCount: number
}

/** @param options.capacity how many entries are kept */
export function fakeHistory(transcript: Transcript, { capacity = Infinity } = {}): FakeHistory {
  const all: Entry[] = []
  const listeners = new Set<Listener>()
  let isOver = false
  let answerAs: 'as it was' | 'as it is' | undefined
  let waiting: (() => void)[] = []
  let failure = { message: '', readings: 0 }

  function answer(id: string | undefined): { entries: Entry[]; isGap: boolean } {
    const first = Math.max(0, all.length - capacity)
    // From the end: a reader of ten thousand news is behind the last one, mostly.
    const at = id === undefined ? -1 : all.findLastIndex((entry) => entry.id === id)
    const isGap = id !== undefined && (at === -1 || at + 1 < first)
    return { entries: all.slice(isGap ? first : Math.max(at + 1, first)), isGap }
  }

  return {
    get isOver() {
      return isOver
    },
    get blockedReads() {
      return waiting.length
    },
    get listenerCount() {
      return listeners.size
    },
    async after(id) {
      if (failure.readings > 0) {
        failure.readings -= 1
        throw new FeedError(failure.message)
      }
      if (!answerAs) return answer(id)
      const wasThere = answerAs === 'as it was' ? answer(id) : undefined
      await new Promise<void>((resolve) => waiting.push(resolve))
      return wasThere ?? answer(id)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    append(...quakes) {
      const entries = quakes.map((quake, n) => ({ id: idOf(all.length + n), quake }))
      const [first, ...others] = entries
      const last = others.at(-1)
      if (!first) return []
      transcript.step(
        last
          ? `${first.id} to ${last.id} happened, ${entries.length} quakes`
          : `${first.id} happened: ${describeQuake(first.quake)}`,
      )
      for (const entry of entries) {
        all.push(entry)
        for (const { onEntry } of [...listeners]) onEntry(entry)
      }
      return entries.map(({ id }) => id)
    },
    end() {
      transcript.step('the history is over')
      isOver = true
      for (const { onOver } of [...listeners]) onOver()
    },
    blockReads(mode) {
      transcript.step('reading the history takes long from now on')
      answerAs = mode
    },
    unblockReads() {
      transcript.step('the history has been read')
      answerAs = undefined
      const readers = waiting
      waiting = []
      for (const go of readers) go()
    },
    failNext(message, readings = 1) {
      const which = readings === 1 ? 'the next reading' : `the next ${readings} readings`
      transcript.step(`${which} of the history fail${readings === 1 ? 's' : ''}: ${message}`)
      failure = { message, readings }
    },
  }
}

function idOf(n: number): string {
  return `q-${n < 1000 ? 999 - n : n}`
}
