import { must } from '../failure.ts'
import { HISTORY_CAPACITY, type SystemUnderTest } from './system-under-test.ts'

/** Checks that every quake has arrived once and in order, or that it was evicted and a gap was sent in its place. */
export function checkInvariant({ happened, received }: SystemUnderTest): void {
  const expected =
    'Expected each quake to arrive once, in order, with a gap in place of quakes that have been evicted.'
  let last = -1
  let isGap = false
  for (const { id, happenedBefore } of received) {
    const evicted = happenedBefore - HISTORY_CAPACITY
    if (id === 'gap') {
      must(last !== -1 && last < evicted, {
        seen: `The client had ${last === -1 ? 'no quake' : happened[last]}, but a gap was reported although nothing was missing.`,
        expected,
      })
      isGap = true
      continue
    }
    const at = happened.indexOf(id)
    must(at > last, {
      seen: `${id} arrived ${received.filter((other) => other.id === id).length > 1 ? 'twice' : `after ${happened[last]}`}.`,
      expected,
    })
    const missing = happened.slice(last + 1, at)
    const never = `${missing.join(', ')} never arrived`
    must(at <= Math.max(evicted, last + 1), {
      seen: `${never}, although the history still keeps ${missing.length === 1 ? 'it' : 'at least one of them'}.`,
      expected,
    })
    must(missing.length === 0 || isGap || last === -1, {
      seen: `${never}, but no gap was reported.`,
      expected,
    })
    last = at
    isGap = false
  }
}
