import './dom.ts'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { createElement, StrictMode, type ReactNode } from 'react'
import { flushSync } from 'react-dom'
import { createRoot } from 'react-dom/client'
import type { Tools } from '../check.ts'
import { forgetSources, sourcesOf } from './browser-event-source.ts'
import { describeError, Failure, type Story } from '../failure.ts'
import { controlTimers } from '../controlled-timers.ts'
import { toldNow, type LateStory } from '../waiting.ts'
import { resetTab } from './tab.ts'

/** A page that React draws on, as the check says. */
export type Page = {
  readonly body: HTMLElement
  /** Draws this, in place of what was there. */
  draw(content: ReactNode): void
  /** Waits until `holds()` is true; fails at once when something that was drawn has thrown. */
  waitFor(holds: () => boolean, story: LateStory): Promise<void>
  /** What was to be seen is there: what listeners have thrown until now explains nothing that fails later. */
  forgiveThrown(): void
  /** Runs what waits for a timer of the work, and what follows: of a page whose timers the check controls. */
  runPendingTimers(): Promise<void>
  /** Closes it before the script ends. */
  close(): void
}

export type PageOptions = {
  /** Under StrictMode. */
  strict?: boolean
  /** While no other check has a page open: for what happens to all of them, such as a hidden tab. */
  exclusive?: boolean
  /** The check says when a timer of the work runs out. Such a page is alone. */
  controlledTimers?: boolean
}

/** Opens a page until the script ends. Then it is closed, and every connection to one of the `urls` with it. */
export async function openPage(
  t: Tools,
  urls: string[],
  { strict = false, controlledTimers = false, exclusive = controlledTimers }: PageOptions = {},
): Promise<Page> {
  const leaveRoom = await acquirePage(exclusive)
  // Who had the room before may have left it hidden.
  resetTab()
  const timers = controlledTimers ? controlTimers([globalThis, window]) : undefined
  const body = document.createElement('main')
  document.body.append(body)
  const thrown: unknown[] = []
  const root = createRoot(body, { onUncaughtError: (error) => void thrown.push(error) })
  let isOpen = true
  let forgiven = new Set<unknown>()

  const throwWhatWasThrown = (): void => {
    if (thrown.length > 0) throw asFailure(thrown[0])
  }

  /** Looks a thousand times a second, and not at every turn: most waits are for a timer of the work. */
  const look = async (holds: () => boolean): Promise<void> => {
    while (isOpen && thrown.length === 0 && !holds()) await sleep(1)
  }

  const close = (): void => {
    if (!isOpen) return
    isOpen = false
    timers?.stop()
    flushSync(() => root.unmount())
    body.remove()
    urls.forEach(forgetSources)
    leaveRoom()
  }
  t.atEnd(close)

  return {
    body,
    close,
    draw(content) {
      flushSync(() => root.render(strict ? createElement(StrictMode, null, content) : content))
      throwWhatWasThrown()
    },
    async waitFor(holds, story) {
      try {
        await t.withTimeout(look(holds), { seen: 'Nothing came.', expected: 'Expected something.' })
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        throw new Failure({ ...toldNow(story), ...causeIn(urls, forgiven) })
      }
      throwWhatWasThrown()
    },
    forgiveThrown() {
      forgiven = new Set(thrownIn(urls))
    },
    async runPendingTimers() {
      // A countdown starts one after another, each after a render.
      for (let n = 0, idle = 0; n < 100 && idle < 3; n += 1) {
        idle = timers?.runPending() ? 0 : idle + 1
        // React renders in turns of the event loop, whatever they take.
        for (let turns = 0; turns < TURNS_OF_A_RENDER; turns += 1) await turn()
      }
    },
  }
}

/** More than a render of a page as small as these needs. */
const TURNS_OF_A_RENDER = 10

/** An error of React as the failure that it is, where it is known. */
function asFailure(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  if (/^A function wrapped in useEffectEvent/.test(error.message)) {
    return new Failure({
      seen: 'React says: a function wrapped in useEffectEvent() was called while it rendered.',
      expected: 'Expected it to be called by a listener, or by an effect.',
      often:
        'it is called in a function that was given to setState(). React runs that in a render.',
    })
  }
  if (!error.message.startsWith('Maximum update depth')) return error
  return new Failure({
    seen: 'React gave up: each render caused another one, at once.',
    expected: 'Expected it to come to an end.',
    ...(warnedOfSnapshot
      ? { cause: SNAPSHOT_CAUSE }
      : { often: 'a state is set while rendering, or in an effect that runs after each render.' }),
  })
}

const SNAPSHOT_CAUSE =
  'getSnapshot() gives a new object each time it is called. It should be cached: the same object, as long as nothing has changed.'

// React tells it once, in the console, and nowhere else.
let warnedOfSnapshot = false
/** What React has reported in the console, in its own words. */
export const reportedByReact: string[] = []
const { error: report } = console
console.error = (...values: unknown[]) => {
  warnedOfSnapshot ||= String(values[0]).startsWith('The result of getSnapshot should be cached')
  const caller = new Error('where').stack?.split('\n')[2] ?? ''
  if (/[\\/]node_modules[\\/]react(-dom)?[\\/]/.test(caller)) {
    const [message, ...details] = values
    reportedByReact.push(String(message).replace(/%[sod]/g, () => String(details.shift())))
  }
  report(...values)
}

/** What can be seen in the EventSources. */
function causeIn(urls: string[], pardoned: Set<unknown>): Pick<Story, 'cause' | 'often'> {
  const [error] = thrownIn(urls).filter((thrown) => !pardoned.has(thrown))
  if (error !== undefined) {
    return { cause: `a listener of the EventSource threw ${describeError(error)}` }
  }
  const closed = urls.flatMap(sourcesOf).filter(({ wasClosed }) => wasClosed)
  return closed.length <= MANY ? {} : { often: OVER_AND_OVER }
}

/** What a listener of an EventSource throws, a browser only reports. */
function thrownIn(urls: string[]): unknown[] {
  return urls.flatMap(sourcesOf).flatMap(({ thrown }) => thrown)
}

/** No check gives a reason to close so many. */
const MANY = 10

const OVER_AND_OVER = `more than ${MANY} EventSources were made and closed, one after another. An effect without a list runs after each render, and so does one whose list has what it changes itself, or a new function or object each time. useSyncExternalStore() subscribes anew when subscribe is another function.`

let pages = 0
let isTaken = false
let waiting: (() => void)[] = []

/** Waits for room: for one page alone, or beside others. The function that is returned leaves it. */
async function acquirePage(alone: boolean): Promise<() => void> {
  while (isTaken || (alone && pages > 0)) {
    await new Promise<void>((resolve) => waiting.push(resolve))
  }
  pages += 1
  isTaken = alone
  return () => {
    pages -= 1
    isTaken = false
    const woken = waiting
    waiting = []
    for (const wake of woken) wake()
  }
}
