import { must } from '../failure.ts'
import { HISTORY_CAPACITY, type SystemUnderTest } from './system-under-test.ts'

/** Checks that every quake has arrived once and in order, or was evicted and a gap was announced in its place. */
export function checkInvariant({ happened, received }: SystemUnderTest): void {
  const expected =
    'Expected each quake once, in order, or to be told of a gap where some are not kept any more.'
  let last = -1
  let isGap = false
  for (const { id, happenedBefore } of received) {
    const evicted = happenedBefore - HISTORY_CAPACITY
    if (id === 'gap') {
      must(last !== -1 && last < evicted, {
        seen: `The client had ${last === -1 ? 'nothing' : happened[last]}, and was told of a gap where none is.`,
        expected,
      })
      isGap = true
      continue
    }
    const at = happened.indexOf(id)
    must(at > last, {
      seen: `${id} came ${received.filter((other) => other.id === id).length > 1 ? 'twice' : `behind ${happened[last]}`}.`,
      expected,
    })
    const missing = happened.slice(last + 1, at)
    const never = `${missing.join(', ')} never came`
    must(at <= Math.max(evicted, last + 1), { seen: `${never}, and was still kept.`, expected })
    must(missing.length === 0 || isGap || last === -1, {
      seen: `${never}, and nobody told of a gap.`,
      expected,
    })
    last = at
    isGap = false
  }
}
