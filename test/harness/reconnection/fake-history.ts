import type { Quake } from '#feed'
import type { Entry, History, Listener } from '#work/05-replay/history.ts'
import type { SpaceTimeEvent } from '../../../protocol/space-time.ts'
import { FeedError } from '../controlled-feed.ts'
import { describeQuake } from '../quakes.ts'
import { excerpt, type Transcript } from '../transcript.ts'
import { blockableReads, type AnswerAs } from './blockable-reads.ts'

/**
 * A history whose reads a check can block. Its first IDs are in descending order, because the learner's code must not
 * compare IDs.
 */
export type FakeHistory = History & {
  /** Appends quakes to the history, and returns their entries. */
  append<All extends Quake[]>(...quakes: All): { [N in keyof All]: Entry }
  end(): void
  /** Blocks further reads. When they are unblocked, they get the given kind of answer. */
  blockReads(answer: AnswerAs): void
  /** Answers the waiting reads, and stops blocking. */
  unblockReads(): void
  /** Makes the next read, or the next few reads, fail with the message. */
  failNext(message: string, readings?: number): void
  /** The number of reads that are waiting. */
  readonly blockedReads: number
  readonly listenerCount: number
}

/**
 * Creates a fake history.
 *
 * @param options.capacity the number of entries to keep
 * @param options.ids the IDs of the first entries
 */
export function fakeHistory(
  transcript: Transcript,
  { capacity = Infinity, ids = [] }: { capacity?: number; ids?: readonly string[] } = {},
): FakeHistory {
  transcript.parties('history', 'server')
  const all: Entry[] = []
  const listeners = new Set<Listener>()
  const reads = blockableReads(answer)
  /** The answers to the reads that are waiting, in words. */
  let waiting: (() => string)[] = []
  let isOver = false
  let failure = { message: '', readings: 0 }

  /** Draws something that the history tells the server, or that the server does not hear because it is not listening. */
  function heard(label: string, callback: string): SpaceTimeEvent {
    return listeners.size === 0
      ? { at: 'history', label }
      : { at: 'history', to: 'server', label: `${label}, ${callback}()` }
  }

  function drawRead(id: string | undefined): void {
    const call = `after(${typeof id === 'string' ? `"${excerpt(id, 24)}"` : 'undefined'})`
    const asItIs = (): string => nameAnswer(answer(id))
    if (reads.blocked) {
      transcript.draw({ at: 'server', to: 'history', label: call, held: true, isCall: true })
      const asItWas = asItIs()
      waiting.push(reads.blocked === 'as it was' ? () => asItWas : asItIs)
    } else {
      const label = `${call} returned ${asItIs()}`
      transcript.draw({ at: 'history', to: 'server', label, isCall: true })
    }
  }

  function answer(id: string | undefined): { entries: Entry[]; isGap: boolean } {
    const first = Math.max(0, all.length - capacity)
    // Search from the end, because most cursors are IDs of the last entries.
    const at = id === undefined ? -1 : all.findLastIndex((entry) => entry.id === id)
    const isGap = id !== undefined && (at === -1 || at + 1 < first)
    return { entries: all.slice(isGap ? first : Math.max(at + 1, first)), isGap }
  }

  return {
    get isOver() {
      return isOver
    },
    get blockedReads() {
      return reads.waiting
    },
    get listenerCount() {
      return listeners.size
    },
    after(id) {
      if (failure.readings === 0) {
        drawRead(id)
        return reads.read(id)
      }
      failure.readings -= 1
      const label = `after() failed: ${failure.message}`
      transcript.draw({ at: 'history', to: 'server', label, isCall: true })
      return Promise.reject(new FeedError(failure.message))
    },
    subscribe(listener) {
      transcript.draw({ at: 'server', to: 'history', label: 'subscribe()', isCall: true })
      listeners.add(listener)
      return () => {
        if (!listeners.delete(listener)) return
        transcript.draw({ at: 'server', to: 'history', label: 'unsubscribe()', isCall: true })
      }
    },
    append<All extends Quake[]>(...quakes: All) {
      const entries = quakes.map((quake, n) => ({
        id: ids[all.length + n] ?? idOf(all.length + n),
        quake,
      }))
      const order = all.length === 0 && ids.length === 0 ? ' (the IDs count down)' : ''
      if (entries.length > 0) {
        const happened = heard(`${nameEntries(entries)} happened`, 'onEntry')
        transcript.step(`${describeEntries(entries)}${order}`, happened)
      }
      for (const entry of entries) {
        all.push(entry)
        for (const { onEntry } of [...listeners]) onEntry(entry)
      }
      return entries as { [N in keyof All]: Entry }
    },
    end() {
      transcript.step('the history has ended', heard('the history has ended', 'onOver'))
      isOver = true
      for (const { onOver } of [...listeners]) onOver()
    },
    blockReads(answerAs) {
      const label = 'reading takes a while from now on'
      transcript.step('reading the history takes a while from now on', { at: 'history', label })
      reads.block(answerAs)
    },
    unblockReads() {
      const answers = waiting.map((inWords) => inWords()).join(' and ')
      waiting = []
      transcript.step(
        'the history has been read',
        answers === ''
          ? { at: 'history', label: 'reading takes no time from now on' }
          : { at: 'history', to: 'server', label: `after() returned ${answers}` },
      )
      reads.unblock()
    },
    failNext(message, readings = 1) {
      const which = readings === 1 ? 'the next read' : `the next ${readings} reads`
      const fails = `fail${readings === 1 ? 's' : ''}: ${message}`
      transcript.step(`${which} of the history ${fails}`, {
        at: 'history',
        label: `${which} ${fails}`,
      })
      failure = { message, readings }
    },
  }
}

function describeEntries(entries: Entry[]): string {
  const [first, last] = [entries[0]!, entries.at(-1)!]
  return entries.length === 1
    ? `${first.id} happened: ${describeQuake(first.quake)}`
    : `${entries.length} quakes happened, from ${first.id} to ${last.id}`
}

function nameAnswer({ entries, isGap }: { entries: Entry[]; isGap: boolean }): string {
  const names = entries.length === 0 ? 'nothing' : nameEntries(entries)
  return isGap ? `a gap and ${names}` : names
}

function nameEntries(entries: Entry[]): string {
  const [first, last] = [entries[0]!.id, entries.at(-1)!.id]
  return first === last ? excerpt(first, 24) : `${excerpt(first, 24)} to ${excerpt(last, 24)}`
}

function idOf(n: number): string {
  return `q-${n < 1000 ? 999 - n : n}`
}
