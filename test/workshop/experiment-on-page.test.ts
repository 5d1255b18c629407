import { readdirSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { rows } from '../../workshop/experiment/rows.ts'
import { experiment, type Experiment } from '../../workshop/session/experiment.ts'

// The experiment of lesson 4 as its page has it. What is measured is a test of its own.

let lab: Experiment
let changes = 0
beforeEach(() => {
  changes = 0
  lab = experiment({ changed: () => (changes += 1) })
})
afterEach(() => lab.stop())

test('what is expected is kept until it is measured', async () => {
  expect(lab.act({ do: 'predict', way: 2, verdict: 'holds' })).toEqual({
    said: 'Your prediction: holds.',
  })
  lab.act({ do: 'predict', way: 1, verdict: 'late' })
  lab.act({ do: 'predict', way: 1, verdict: null })
  expect(lab.state.ways.map(({ predicted }) => predicted).slice(0, 3)).toEqual([
    undefined,
    'holds',
    undefined,
  ])
  expect(lab.act({ do: 'predict', way: rows.length + 1, verdict: 'late' })).toHaveProperty(
    'problem',
  )
  lab.act({ do: 'measure' })
  await measured(1)
  const way = lab.state.ways.findIndex(({ result }) => result) + 1
  expect(lab.act({ do: 'predict', way, verdict: 'late' })).toHaveProperty('problem')
  expect(lab.act({ do: 'measure' })).toEqual({ problem: 'A measurement is already running.' })
})

test('results come one by one; stopped, they stay, and the rest is measured later', async () => {
  lab.act({ do: 'measure' })
  expect(lab.state.isMeasuring).toBe(true)
  await measured(1)
  expect(lab.act({ do: 'stop measuring' })).toHaveProperty('said')
  expect(lab.state).toMatchObject({ isMeasuring: false, problem: undefined })
  const come = count()
  expect(come).toBeLessThan(rows.length)
  const [first] = lab.state.ways
  lab.act({ do: 'measure' })
  await measured(come + 1)
  expect(lab.state.ways[0]).toBe(first)
  lab.act({ do: 'forget measurements' })
  expect(lab.state).toMatchObject({ isMeasuring: false })
  expect(count()).toBe(0)
  expect(changes).toBeGreaterThan(4)
})

// Only Linux shows everybody's processes.
test.skipIf(process.platform !== 'linux')(
  'a measuring that is ended from outside says so',
  async () => {
    // The one of the test before this has been stopped, and may be about to go.
    await vi.waitUntil(() => childOfOurs(PROGRAM) === undefined, WAIT)
    lab.act({ do: 'measure' })
    process.kill(childOfOurs(PROGRAM)!, 'SIGKILL')
    await vi.waitUntil(() => !lab.state.isMeasuring, WAIT)
    expect(lab.state.problem).toBe('The measuring ended before it was done.')
    lab.act({ do: 'measure' })
    expect(lab.state).toMatchObject({ isMeasuring: true, problem: undefined })
  },
)

test('what is none of its own is left to others', () => {
  expect(lab.act({ do: 'clear' })).toBeUndefined()
})

function count(): number {
  return lab.state.ways.filter(({ result }) => result).length
}

async function measured(atLeast: number): Promise<void> {
  await vi.waitUntil(() => count() >= atLeast, WAIT)
}

const WAIT = { timeout: 120_000 }

const PROGRAM = '/experiment/program.ts'

function childOfOurs(program: string): number | undefined {
  const pid = readdirSync('/proc').find((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      const isOurs = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]!.split(' ')[1]
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8')
      return isOurs === String(process.pid) && words.includes(program)
    } catch {
      return false
    }
  })
  return pid === undefined ? undefined : Number(pid)
}
