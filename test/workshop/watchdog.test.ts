import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watchdog } from '../../workshop/grader/watchdog.ts'

// Nobody waits for five minutes here: the clock of this process is a fake, and nothing else is.
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('it barks when a process that has begun says nothing for ten seconds', () => {
  const { barked, dog } = watched()
  dog.sign()
  vi.advanceTimersByTime(9_750)
  expect(barked).toEqual([])
  vi.advanceTimersByTime(250)
  expect(barked).toEqual(['silence'])
})

test('it gives a process a minute to begin', () => {
  const { barked } = watched()
  vi.advanceTimersByTime(59_750)
  expect(barked).toEqual([])
  vi.advanceTimersByTime(250)
  expect(barked).toEqual(['silence'])
})

test('a process that says for ever that it is alive has five minutes', () => {
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
