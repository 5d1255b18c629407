import type { Tools } from '../toolbox.ts'
import { watchTimers } from '../work-timers.ts'

/**
 * Counts the timers of the learner's code that keep its process alive. The package for Redis starts one for each command that
 * does not, and that ends by itself.
 */
export function livingTimers(t: Tools): { count(): number } {
  const alive = new Map<number, NodeJS.Timeout>()
  const stop = watchTimers({
    made: (id, timer) => void alive.set(id, timer),
    gone: (id) => void alive.delete(id),
  })
  t.atEnd(stop)
  return { count: () => [...alive.values()].filter((timer) => timer.hasRef()).length }
}
