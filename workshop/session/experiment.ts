import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { rows } from '../experiment/rows.ts'
import type { Action, Answer, ExperimentState, WayState } from '../../protocol/page.ts'
import { forkTypeScript } from '../process/fork-typescript.ts'

/** The experiment of lesson 4, as the lesson page runs it. */
export type Experiment = {
  readonly state: ExperimentState
  /** Performs an action. Returns undefined for an action that does not belong to the experiment. */
  act(action: Action): Answer | undefined
  /** Cancels the running measurement. */
  stop(): void
}

/**
 * Creates the experiment.
 *
 * @param options.changed called after every change of the state
 */
export function experiment({ changed }: { changed(): void }): Experiment {
  const state: ExperimentState = { isMeasuring: false, ways: untouched() }
  let child: ChildProcess | undefined

  function measure(): Answer {
    if (child) return { problem: 'A measurement is already running.' }
    const waiting = state.ways.flatMap(({ result }, index) => (result ? [] : [index]))
    if (waiting.length === 0)
      return { problem: 'Every setup has been measured. Press Start over to measure again.' }
    const mine = forkTypeScript(PROGRAM, 'ignore')
    child = mine
    becomes({ isMeasuring: true })
    mine.on('message', ({ index, result }: MeasuredMessage) => {
      if (child !== mine) return
      state.ways[index] = { ...state.ways[index]!, result }
      if (state.ways.every((way) => way.result)) stop()
      else changed()
    })
    mine.once('error', () => lost(mine))
    mine.once('exit', () => lost(mine))
    mine.send(waiting)
    return { said: `Measuring ${waiting.length} setups.` }
  }

  function lost(mine: ChildProcess): void {
    if (child !== mine) return
    child = undefined
    becomes({ isMeasuring: false, problem: 'The measurement ended unexpectedly.' })
  }

  function becomes(now: Pick<ExperimentState, 'isMeasuring' | 'problem'>): void {
    state.isMeasuring = now.isMeasuring
    state.problem = now.problem
    changed()
  }

  function stop(): void {
    // The proxies that the child process has started end together with the child process.
    child?.kill('SIGKILL')
    child = undefined
    becomes({ isMeasuring: false })
  }

  return {
    state,
    stop,
    act(action) {
      switch (action.do) {
        case 'predict': {
          const { way, verdict } = action
          const found = state.ways[way - 1]
          if (!found) return { problem: `There is no setup ${way}.` }
          if (found.result)
            return {
              problem: 'This setup has already been measured, so it is too late to predict.',
            }
          const { predicted: _, ...others } = found
          state.ways[way - 1] = { ...others, ...(verdict && { predicted: verdict }) }
          changed()
          return { said: verdict ? `Your prediction: ${verdict}.` : 'Prediction removed.' }
        }
        case 'measure':
          return measure()
        case 'stop measuring':
          if (!child) return { problem: 'No measurement is running.' }
          stop()
          return { said: 'Measurement stopped. The results so far are kept.' }
        case 'forget measurements':
          stop()
          state.ways = untouched()
          changed()
          return { said: 'All measurements and predictions have been removed.' }
        default:
          return undefined
      }
    },
  }
}

type MeasuredMessage = { index: number; result: NonNullable<WayState['result']> }

function untouched(): WayState[] {
  return rows.map(({ hop, setting, server }) => ({ hop, setting, server }))
}

const PROGRAM = fileURLToPath(new URL('../experiment/program.ts', import.meta.url))
