import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { rows } from '../experiment/rows.ts'
import type { Action, Answer, ExperimentState, WayState } from '../../protocol/page.ts'
import { forkTypeScript } from '../process/fork-typescript.ts'

/** The experiment of lesson 4, for a page. */
export type Experiment = {
  readonly state: ExperimentState
  /** Undefined when the action is none of its own. */
  act(action: Action): Answer | undefined
  /** Ends what is being measured. */
  stop(): void
}

/** @param options.changed called whenever the state has changed */
export function experiment({ changed }: { changed(): void }): Experiment {
  const state: ExperimentState = { isMeasuring: false, ways: untouched() }
  let child: ChildProcess | undefined

  function measure(): Answer {
    if (child) return { problem: 'It is being measured.' }
    const waiting = state.ways.flatMap(({ result }, index) => (result ? [] : [index]))
    if (waiting.length === 0) return { problem: 'Every way has been measured. Start over first.' }
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
    return { said: `Measuring ${waiting.length} ways.` }
  }

  function lost(mine: ChildProcess): void {
    if (child !== mine) return
    child = undefined
    becomes({ isMeasuring: false, problem: 'The measuring ended before it was done.' })
  }

  function becomes(now: Pick<ExperimentState, 'isMeasuring' | 'problem'>): void {
    state.isMeasuring = now.isMeasuring
    state.problem = now.problem
    changed()
  }

  function stop(): void {
    // The proxies that it has started end with it.
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
          if (!found) return { problem: `There is no way ${way}.` }
          if (found.result) return { problem: 'This way has been measured: it is too late.' }
          const { predicted: _, ...others } = found
          state.ways[way - 1] = { ...others, ...(verdict && { predicted: verdict }) }
          changed()
          return { said: verdict ? `You expect: ${verdict}.` : 'You expect nothing of it.' }
        }
        case 'measure':
          return measure()
        case 'stop measuring':
          if (!child) return { problem: 'Nothing is being measured.' }
          stop()
          return { said: 'Stopped. What has been measured stays.' }
        case 'forget measurements':
          stop()
          state.ways = untouched()
          changed()
          return { said: 'Nothing is measured, and nothing is predicted.' }
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
