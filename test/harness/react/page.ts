import './dom.ts'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { createElement, StrictMode, type ReactNode } from 'react'
import { flushSync } from 'react-dom'
import { createRoot } from 'react-dom/client'
import type { Tools } from '../check.ts'
import { forgetSources, sourcesOf } from './browser-event-source.ts'
import { describeError, Failure, type Story } from '../failure.ts'
import type { ControlledTimers } from '../controlled-timers.ts'
import { toldNow, type LateStory } from '../waiting.ts'
import { resetTab } from './tab.ts'

/** A page on which a check renders React components. */
export type Page = {
  readonly body: HTMLElement
  /** Renders the content in place of the previous content. */
  draw(content: ReactNode): void
  /** Waits until `holds()` is true. Fails immediately if a rendered component has thrown. */
  waitFor(holds: () => boolean, story: LateStory): Promise<void>
  /** Ignores the errors that listeners have thrown so far. Call this after the page has turned out to be correct. */
  forgiveThrown(): void
  /** Fires the pending timers of the learner's code, and the timers that they start. Requires `timers`. */
  runPendingTimers(): Promise<void>
  /** Closes the page before the script ends. */
  close(): void
}

export type PageOptions = {
  /** Whether to render in StrictMode. */
  strict?: boolean
  /** Whether no other check may have a page open at the same time. Needed for events that reach every page. */
  exclusive?: boolean
  /**
   * The timers of the check, which then decides when they fire. By default, such a page is exclusive, because React renders
   * several pages in one go, and then does not say which page starts a timer.
   */
  timers?: ControlledTimers
}

/** Opens a page. When the script ends, closes the page and every connection to one of the `urls`. */
export async function openPage(
  t: Tools,
  urls: string[],
  { strict = false, timers, exclusive = timers !== undefined }: PageOptions = {},
): Promise<Page> {
  const releasePage = await acquirePage(exclusive)
  // Show the tab, because the previous page may have left it hidden.
  resetTab()
  const body = document.createElement('main')
  document.body.append(body)
  const thrown: unknown[] = []
  const root = createRoot(body, { onUncaughtError: (error) => void thrown.push(error) })
  let isOpen = true
  let forgiven = new Set<unknown>()

  const throwWhatWasThrown = (): void => {
    if (thrown.length > 0) throw asFailure(thrown[0])
  }

  /** Polls once per millisecond, because most waits are for one of the learner's timers. The caller has a timeout. */
  const look = async (holds: () => boolean): Promise<void> => {
    while (isOpen && thrown.length === 0 && !holds()) await sleep(1)
  }

  const close = (): void => {
    if (!isOpen) return
    isOpen = false
    flushSync(() => root.unmount())
    body.remove()
    urls.forEach(forgetSources)
    releasePage()
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
        await t.withTimeout(look(holds), {
          seen: 'Nothing happened in time.',
          expected: 'Expected the page to change.',
        })
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
      // Fire timers repeatedly, because a countdown starts one timer after another, each after a render.
      for (let n = 0, idle = 0; n < 100 && idle < 3; n += 1) {
        idle = timers?.runPending() ? 0 : idle + 1
        // Wait for turns instead of time, because React renders in turns of the event loop, however long they take.
        for (let turns = 0; turns < TURNS_OF_A_RENDER; turns += 1) await turn()
      }
    },
  }
}

/** More turns than the render of such a small page takes. */
const TURNS_OF_A_RENDER = 10

/** Converts a known error of React into a failure. */
function asFailure(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  if (/^A function wrapped in useEffectEvent/.test(error.message)) {
    return new Failure({
      seen: 'React reported that a function wrapped in useEffectEvent() was called during a render.',
      expected: 'Expected the function to be called by a listener or an effect.',
      often:
        'your code calls it in a function that it passes to setState(). React runs that function during a render.',
    })
  }
  if (!error.message.startsWith('Maximum update depth')) return error
  return new Failure({
    seen: 'React gave up, because each render immediately caused another render.',
    expected: 'Expected the renders to stop.',
    ...(warnedOfSnapshot
      ? { cause: SNAPSHOT_CAUSE }
      : {
          often:
            'your code sets state during a render, or in an effect that runs after each render.',
        }),
  })
}

const SNAPSHOT_CAUSE =
  'getSnapshot() returns a new object each time it is called. Cache the object, and return the same one until something changes.'

// Remember the warning, because React reports it only once, and only in the console.
let warnedOfSnapshot = false
/** The messages that React has written to the console. */
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

/** Looks for the cause of a failure in the state of the EventSources. */
function causeIn(urls: string[], pardoned: Set<unknown>): Pick<Story, 'cause' | 'often'> {
  const [error] = thrownIn(urls).filter((thrown) => !pardoned.has(thrown))
  if (error !== undefined) {
    return { cause: `a listener of the EventSource threw ${describeError(error)}` }
  }
  const closed = urls.flatMap(sourcesOf).filter(({ wasClosed }) => wasClosed)
  return closed.length <= MANY ? {} : { often: OVER_AND_OVER }
}

/** Returns the errors that listeners of an EventSource have thrown, which a browser would only report. */
function thrownIn(urls: string[]): unknown[] {
  return urls.flatMap(sourcesOf).flatMap(({ thrown }) => thrown)
}

/** More closed sources than any check causes by itself. */
const MANY = 10

const OVER_AND_OVER = `your code created and closed more than ${MANY} EventSources, one after another. An effect runs after each render if it has no dependency array, or if a dependency changes each time, for example because it is a new function. useSyncExternalStore() subscribes again whenever subscribe is a different function.`

let pages = 0
let isTaken = false
let waiting: (() => void)[] = []

/** Waits until a page may open, alone or together with others. Returns a function that lets other pages open. */
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
