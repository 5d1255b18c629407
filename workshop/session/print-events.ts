import type { Verdict } from '../../protocol/verdict.ts'
import type { LearnerClientState } from '../../protocol/page.ts'
import type { Leaks } from '../../protocol/runtime.ts'
import { machineProblem } from '../machine-problem.ts'
import type { Screen } from '../terminal/screen.ts'
import type { LessonEvents } from './lesson-run.ts'

/** Returns the callbacks that print everything that happens in a lesson. */
export function printEvents({
  file,
  work,
  out,
  changed,
}: {
  file: string
  work: string
  out: Screen
  changed(): void
}): LessonEvents {
  const { paint } = out
  let before: Verdict | undefined
  return {
    running: () => out.print(`${paint('good', '●')} ${file} is running.`),
    down(what, detail) {
      const lines = detail === '' ? [] : detail.split('\n').map((line) => `  ${line}`)
      out.print([`${paint('bad', '✗')} ${what}`, ...lines, UNTIL_SAVED].join('\n'))
    },
    notWritten(what) {
      out.print(`○ ${file} is not written yet (${paint('strong', what)}).\n${UNTIL_SAVED}`)
    },
    printed: (line) => out.print(`${paint('quiet', 'server.ts prints:')} ${line}`),
    feed: (readers) => out.print(paint('quiet', `feed open for ${counted(readers, 'reader')}`)),
    leaks: leakLines((line) => out.print(paint('bad', line))),
    killed: (process = file) =>
      out.print(`${paint('bad', '✗')} ${process} was killed. It restarts automatically.`),
    redis: (isReal) =>
      out.print(
        isReal
          ? 'The processes share the real Redis.'
          : 'The processes share the embedded Redis. To install the real one, type: npm run setup',
      ),
    routed: (connection, process) =>
      out.print(paint('quiet', ` #${connection}    goes to ${process}`)),
    follows: (state) => out.print(learnerClientLine(state, paint)),
    clientPrinted: (line) => out.print(`${paint('quiet', 'client.ts prints:')} ${line}`),
    saved: () => out.print(paint('quiet', `Saved at ${new Date().toLocaleTimeString('en-GB')}.`)),
    gradingChanged: changed,
    async graded(verdict) {
      const { renderVerdict } = await import('../verdict/render.ts')
      const options = { paint, width: out.width, workName: work, ...(before && { before }) }
      out.print(`\n${renderVerdict(verdict, options)}\n`)
      before = verdict
    },
    notSaved: (why) => out.print(why),
    notGraded(error) {
      const why = machineProblem(error) ?? `There was an internal error: ${error.stack}`
      out.print(`Your work could not be graded. ${why}`)
    },
  }
}

/** Returns `◌ client.ts is waiting (42 quakes, 0 missed, 0 duplicates): terminated; reconnecting in 812 ms`. */
function learnerClientLine(
  { state, file = 'client.ts', what, quakes, missed, twice }: LearnerClientState,
  paint: Screen['paint'],
): string {
  if (state === 'not written') return `○ ${file} is not written yet. ${what}`
  const counts = [
    counted(quakes, 'quake'),
    ...(missed === undefined ? [] : [`${missed} missed`]),
    counted(twice, 'duplicate'),
  ].join(', ')
  const shape = { open: paint('good', '●'), down: paint('bad', '✗') }[state as string] ?? '◌'
  return `${shape} ${file} ${paint('strong', FOLLOWS[state])} ${paint('quiet', `(${counts})`)}${what ? `: ${what}` : ''}`
}

const FOLLOWS: Record<Exclude<LearnerClientState['state'], 'not written'>, string> = {
  starting: 'is starting',
  connecting: 'is connecting',
  open: 'is connected',
  waiting: 'is waiting',
  over: 'has finished',
  down: 'is down',
}

/**
 * Returns a function that prints the leaks when they change. The number of lost writes keeps growing, so if only that
 * number changes, the leaks are printed less often.
 */
function leakLines(print: (line: string) => void): (leaks: Leaks) => void {
  let last = ''
  let printedAt = 0
  return ({ intervals, clients, lostWrites }) => {
    const running = `still running: ${counted(intervals, 'interval')} · ${counted(clients, 'client')} connected`
    if (running === last && performance.now() - printedAt < LOST_WRITES_EVERY_MS) return
    last = running
    printedAt = performance.now()
    print(`${running} · ${counted(lostWrites, 'write')} to closed connections`)
  }
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

const LOST_WRITES_EVERY_MS = 3000

const UNTIL_SAVED = '  Until it runs, every request gets 503.'
