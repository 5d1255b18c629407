import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watchdog } from '../../workshop/grader/watchdog.ts'

// Use a fake clock in this process, so that nobody has to wait for five minutes.
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('it barks if a running process gives no sign of life for ten seconds', () => {
  const { barked, dog } = watched()
  dog.sign('alive')
  vi.advanceTimersByTime(9_750)
  expect(barked).toEqual([])
  vi.advanceTimersByTime(250)
  expect(barked).toEqual(['silence'])
})

test('it gives a process a minute to start', () => {
  const { barked } = watched()
  vi.advanceTimersByTime(59_750)
  expect(barked).toEqual([])
  vi.advanceTimersByTime(250)
  expect(barked).toEqual(['silence'])
})

test('it barks if the work makes no progress for fifteen seconds', () => {
  const { barked, dog } = watched()
  dog.sign('work')
  signFor(14_000, dog, () => 'alive 7')
  expect(barked).toEqual([])
  signFor(2000, dog, () => 'alive 7')
  expect(barked).toEqual(['waiting'])
})

test('it lets packages load for as long as they need', () => {
  const { barked, dog } = watched()
  signFor(60_000, dog, () => 'alive 0')
  expect(barked).toEqual([])
})

test('a process that keeps making progress has five minutes', () => {
  const { barked, dog } = watched()
  let steps = 0
  dog.sign('work')
  signFor(299_000, dog, () => `alive ${(steps += 1)}`)
  expect(barked).toEqual([])
  signFor(1000, dog, () => `alive ${(steps += 1)}`)
  expect(barked).toEqual(['time'])
})

function signFor(ms: number, dog: ReturnType<typeof watchdog>, what: () => string): void {
  for (let passed = 0; passed < ms; passed += 1000) {
    dog.sign(what())
    vi.advanceTimersByTime(1000)
  }
}

function watched(): { barked: string[]; dog: ReturnType<typeof watchdog> } {
  const barked: string[] = []
  const dog = watchdog((why) => barked.push(why))
  dog.start()
  return { barked, dog }
}
