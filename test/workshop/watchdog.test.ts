import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watchdog } from '../../workshop/grader/watchdog.ts'

// Use a fake clock in this process, so that nobody has to wait for five minutes.
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('it barks if a running process gives no sign of life for ten seconds', () => {
  const { barked, dog } = watched()
  dog.sign()
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

test('a process that keeps giving signs of life has five minutes', () => {
  const { barked, dog } = watched()
  for (let seconds = 0; seconds < 299; seconds += 1) {
    dog.sign()
    vi.advanceTimersByTime(1000)
  }
  expect(barked).toEqual([])
  dog.sign()
  vi.advanceTimersByTime(1000)
  expect(barked).toEqual(['time'])
})

function watched(): { barked: string[]; dog: ReturnType<typeof watchdog> } {
  const barked: string[] = []
  const dog = watchdog((why) => barked.push(why))
  dog.start()
  return { barked, dog }
}
