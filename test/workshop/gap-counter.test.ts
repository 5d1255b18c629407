import { expect, test } from 'vitest'
import { recordedQuakes } from '#feed'
import { gapCounter } from '../../workshop/runtime/gap-counter.ts'

const ids = recordedQuakes().map(({ id }) => id)

test('missing and duplicate quakes are counted', () => {
  const count = gapCounter()
  for (const id of [ids[3]!, ids[4]!, ids[7]!, ids[4]!, ids[8]!]) count.add(id)
  expect(count).toMatchObject({ missed: 2, twice: 1 })
})

test('quakes of different networks may change places if each network is counted alone', () => {
  const of = (name: string): string[] =>
    recordedQuakes().flatMap(({ id, network }) => (network === name ? [id] : []))
  const [us, ci] = [of('us'), of('ci')]
  const count = gapCounter({ perNetwork: true })
  for (const id of [ci[4]!, us[0]!, us[1]!, ci[5]!, us[4]!, `${ci[0]}-2`]) count.add(id)
  expect(count).toMatchObject({ missed: 2 + ci.length - 6, twice: 0 })
})

test('the first quake of a lap follows the last quake of the previous lap', () => {
  const count = gapCounter()
  for (const id of [ids.at(-1)!, `${ids[0]}-2`, `${ids[2]}-2`]) count.add(id)
  expect(count).toMatchObject({ missed: 1, twice: 0 })
})
