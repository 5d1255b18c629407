import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SharingState } from '../../protocol/page.ts'
import type { Report } from '../../protocol/room.ts'
import type { Clock } from '../../solutions/06-resume/client.ts'
import { legible } from '../../wire/visible.ts'
import { MESSAGE_LENGTH } from './room-report.ts'
import { truncate } from '../terminal/text.ts'
import type { Progress } from './progress-report.ts'
import type { ShareTarget } from './share-args.ts'

/** Shows a learner's progress on the instructor's board. */
export type Sharing = {
  readonly state: SharingState
  /** Sends the learner's progress, and regularly sends it again. Returns immediately. */
  report(progress: Progress): void
  /** Removes the learner from the board, and sends nothing more. */
  end(): Promise<void>
}

/**
 * Creates a sender, which sends nothing before the first report.
 *
 * Each report contains the whole state, so only the newest is kept for a retry. A report is repeated every minute, so that the
 * board knows who is there, and a restarted board shows everybody again. Sharing ends with the day on which it began.
 *
 * @param options.changed called after each change of the state
 */
export function sharing({
  target,
  changed,
  clock = realClock,
  random = Math.random,
}: {
  target: ShareTarget
  changed(): void
  clock?: Clock
  random?(): number
}): Sharing {
  const { address, code, name } = target
  const url = `http://${address}/${code}/progress`
  const id = randomBytes(16).toString('hex')
  const today = dayOf(clock)
  const over = new AbortController()
  let state: SharingState = { to: address, name, state: 'connecting' }
  let progress: Progress | undefined
  let since = clock.now()
  let n = 0
  let news = new AbortController()
  let isOnBoard = false

  function become(next: SharingState['state'], what?: string): void {
    if (state.state === next && state.what === what) return
    state = { to: address, name, state: next, ...(what !== undefined && { what }) }
    changed()
  }

  async function keepSending(): Promise<void> {
    let failures = 0
    while (!over.signal.aborted) {
      if (dayOf(clock) !== today) return stop('The day is over.')
      news = new AbortController()
      const wake = AbortSignal.any([news.signal, over.signal])
      const answer = await post(nextReport())
      if (over.signal.aborted) return undefined
      if (answer === 'accepted') {
        failures = 0
        isOnBoard = true
        become('shown')
        await clock.sleep(REPEAT_MS, wake)
      } else if ('refused' in answer) return stop(answer.refused)
      else {
        become('lost', answer.lost)
        // Full jitter, so that thirty learners do not return together.
        await clock.sleep(random() * Math.min(LONGEST_WAIT_MS, 1000 * 2 ** failures), over.signal)
        failures = Math.min(failures + 1, 10)
      }
    }
    return undefined
  }

  function nextReport(): Report {
    n += 1
    return { ...progress!, id, n, name, forMs: Math.max(0, clock.now() - since) }
  }

  async function post(report: Report): Promise<Answered> {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(report),
        redirect: 'manual',
        signal: AbortSignal.any([over.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      })
      const said = truncate(legible((await response.text()).trim()), 200)
      if (response.status === 204) return 'accepted'
      if (response.status === 403) return { refused: wrongCode(target) }
      if (!FINAL.has(response.status)) return { lost: `The board answered ${response.status}.` }
      return { refused: `The board answered ${response.status}: ${said}` }
    } catch (error) {
      const { message, cause } = error as Error
      return { lost: `${(cause as NodeJS.ErrnoException | undefined)?.code ?? message}.` }
    }
  }

  function stop(why: string): void {
    over.abort()
    become('ended', why)
  }

  return {
    get state() {
      return state
    },
    report(now) {
      if (over.signal.aborted) return
      const isFirst = progress === undefined
      if (now.lesson !== progress?.lesson || now.task !== progress.task) since = clock.now()
      progress = { ...now, ...(now.message && { message: truncate(now.message, MESSAGE_LENGTH) }) }
      if (isFirst) void keepSending()
      else news.abort()
    },
    async end() {
      if (over.signal.aborted) return
      stop('You have ended it.')
      if (!isOnBoard) return
      const removed = fetch(`${url}/${id}`, { method: 'DELETE' }).catch(() => {})
      // Without an answer, the board forgets the learner after some time.
      await Promise.race([removed, sleep(1000, undefined, { ref: false })])
    },
  }
}

type Answered = 'accepted' | { refused: string } | { lost: string }

function wrongCode({ address, code }: ShareTarget): string {
  return `The board at ${address} refused the code ${code}. The code is on the screen when the instructor presses C, and is new each day.`
}

function dayOf(clock: Clock): string {
  return new Date(clock.now()).toDateString()
}

const realClock: Clock = {
  now: Date.now,
  sleep: (ms, signal) => sleep(ms, undefined, { signal, ref: false }).catch(() => {}),
}

/** The statuses after which a retry is pointless. */
const FINAL = new Set([400, 404, 405, 413, 421])

const REPEAT_MS = 60_000
const LONGEST_WAIT_MS = 30_000
const TIMEOUT_MS = 10_000
