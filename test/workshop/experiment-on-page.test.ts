import { readdirSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { rows } from '../../workshop/experiment/rows.ts'
import { experiment, type Experiment } from '../../workshop/session/experiment.ts'

// Tests the experiment of lesson 4 on the lesson page. The measurements themselves have a test of their own.

let lab: Experiment
let changes = 0
beforeEach(() => {
  changes = 0
  lab = experiment({ changed: () => (changes += 1) })
})
afterEach(() => lab.stop())

test('a prediction can be changed until its setup has been measured', async () => {
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

test('results arrive one by one; after a stop they are kept, and the rest can be measured later', async () => {
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

// All processes can be listed only on Linux.
test.skipIf(process.platform !== 'linux')(
  'a measurement whose process is killed reports a problem',
  async () => {
    // The process of the previous test has been killed, but may still exist.
    await vi.waitUntil(() => childOfOurs(PROGRAM) === undefined, WAIT)
    lab.act({ do: 'measure' })
    process.kill(childOfOurs(PROGRAM)!, 'SIGKILL')
    await vi.waitUntil(() => !lab.state.isMeasuring, WAIT)
    expect(lab.state.problem).toBe('The measurement ended unexpectedly.')
    lab.act({ do: 'measure' })
    expect(lab.state).toMatchObject({ isMeasuring: true, problem: undefined })
  },
)

test('actions that do not belong to the experiment are ignored', () => {
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
