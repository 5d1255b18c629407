import { once } from 'node:events'
import { deepEqual, tryParseJson } from './equality.ts'

/**
 * Returns `expected`, unless the learner's code has changed something that the checks rely on: then some of the
 * questions below get a wrong answer.
 */
export async function canaryHolds(expected: boolean): Promise<boolean> {
  const value = { id: 'us1000chhc', all: [1, 2, 3], at: new Map([[1, 'a']]) }
  const signal = AbortSignal.abort()
  const wasAborted = await once(new EventTarget(), 'never', { signal }).then(
    () => false,
    () => true,
  )
  const decoded = new TextDecoder().decode(new TextEncoder().encode('é'))
  const answers = [
    deepEqual(value, { ...value, all: [1, 2, 3] }) && !deepEqual(value, { ...value, all: [1, 2] }),
    deepEqual(tryParseJson(JSON.stringify([value.id])), [value.id]) &&
      tryParseJson('{') === undefined,
    value.at.get(1) === 'a' && value.at.get(2) === undefined && !value.at.has(2),
    /^us/.test(value.id) && !/^ci/.test(value.id) && /(us)(\d+)/.exec(value.id)?.[2] === '1000',
    value.all.includes(3) && !value.all.includes(4) && value.all.every((each) => each < 4),
    value.all.some((each) => each > 2) && value.all.find((each) => each > 9) === undefined,
    Object.is(1, 1) && !Object.is(1, 2) && 'ab'.startsWith('a') && !'ab'.startsWith('b'),
    wasAborted && decoded === 'é' && new Set([1, 1]).size === 1,
    (await Promise.race([1, new Promise(() => {})])) === 1,
    (await Promise.all([1, 2])).length === 2,
  ]
  return answers.every((each) => each === true) === expected
}
