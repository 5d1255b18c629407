import { describe, expect, test } from 'vitest'
import { recordedQuakes, replay, type Feed, type Quake } from '#feed'
import { controlledFeed } from './harness/controlled-feed.ts'
import { quakes } from './harness/quakes.ts'
import { newTranscript } from './harness/transcript.ts'

const [first, second, third] = quakes(3) as [Quake, Quake, Quake]

/** The second quake is an hour away, so a request for it stays pending. */
const slowly = [at(first, 0), at(second, 3600)]

type Opened = { feed: Feed; open(): number }

// The promises that a lesson makes about feeds must hold for both: the feed it runs on and the one it is graded with.
describe.each<{ name: string; opened(): Opened }>([
  {
    name: 'a replay',
    opened() {
      const feed = replay(slowly, { now: () => 0 })
      return { feed, open: () => feed.readers }
    },
  },
  {
    name: 'the controlled feed of the checks',
    opened() {
      const feed = controlledFeed(newTranscript())
      feed.release(slowly[0]!)
      return { feed, open: () => feed.openReaders }
    },
  },
])('$name', ({ opened }) => {
  test('ends at once when its signal aborts, without an error', async () => {
    const { feed, open } = opened()
    const leaving = new AbortController()
    const reader = feed.open(leaving.signal)[Symbol.asyncIterator]()
    expect((await reader.next()).value).toEqual(slowly[0])
    const next = reader.next()
    expect(open()).toBe(1)
    leaving.abort()
    expect(await next).toEqual({ done: true, value: undefined })
    expect(open()).toBe(0)
  })

  test('is open for a reader whose signal has aborted until that reader comes back', async () => {
    const { feed, open } = opened()
    const leaving = new AbortController()
    const reader = feed.open(leaving.signal)[Symbol.asyncIterator]()
    await reader.next()
    leaving.abort()
    expect(open()).toBe(1)
    expect(await reader.next()).toEqual({ done: true, value: undefined })
    expect(open()).toBe(0)
  })

  test('ends at once when its reader goes, also while it waits', async () => {
    const { feed, open } = opened()
    const reader = feed.open(new AbortController().signal)[Symbol.asyncIterator]()
    await reader.next()
    const next = reader.next()
    await reader.return!()
    expect(await next).toEqual({ done: true, value: undefined })
    expect(open()).toBe(0)
  })

  test('is closed by leaving the loop', async () => {
    const { feed, open } = opened()
    for await (const quake of feed.open(new AbortController().signal)) {
      expect(quake).toEqual(slowly[0])
      break
    }
    expect(open()).toBe(0)
  })

  test('gives nothing when the signal has aborted before', async () => {
    const { feed, open } = opened()
    for await (const quake of feed.open(AbortSignal.abort())) expect(quake).toBeUndefined()
    expect(open()).toBe(0)
  })

  test('gives every reader every quake', async () => {
    const { feed, open } = opened()
    const { signal } = new AbortController()
    const readers = [1, 2, 3].map(() => feed.open(signal)[Symbol.asyncIterator]())
    const read = await Promise.all(readers.map((reader) => reader.next()))
    expect(read.map(({ value }) => value)).toEqual([slowly[0], slowly[0], slowly[0]])
    expect(open()).toBe(3)
  })
})

test('a replay gives the quakes in order and ends', async () => {
  const feed = replay(recordedQuakes(), { speed: Infinity })
  expect(await take(feed, Infinity)).toEqual(recordedQuakes())
})

test('a replay that loops goes on with fresh ids and later times', async () => {
  const lap = [at(first, 0), at(second, 60), at(third, 90)]
  const taken = await take(replay(lap, { speed: Infinity, loop: true }), 9)
  expect(new Set(taken.map(({ id }) => id)).size).toBe(9)
  const times = taken.map(({ time }) => Date.parse(time))
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(taken.slice(3, 6).map(({ place }) => place)).toEqual(lap.map(({ place }) => place))
})

test('a replay lets a quake happen when it is due at its speed', async () => {
  // Ten minutes later at 60,000 times the speed: 10 ms.
  const feed = replay([at(first, 0), at(second, 600)], { speed: 60_000 })
  const before = Date.now()
  expect(await take(feed, 2)).toHaveLength(2)
  // A timer of Node may fire a millisecond early.
  expect(Date.now() - before).toBeGreaterThanOrEqual(9)
})

test('a reader that comes later does not get what has happened before', async () => {
  let now = 0
  const feed = replay([at(first, 0), at(second, 60), at(third, 120)], { now: () => now })
  expect((await take(feed, 1)).map(({ id }) => id)).toEqual([first.id])
  now = 120_000
  expect((await take(feed, 1)).map(({ id }) => id)).toEqual([third.id])
})

test('a replay goes on with another one, and gives its readers what has happened since', async () => {
  const lap = [at(first, 0), at(second, 60), at(third, 120)]
  const goesOn = replay(lap, { now: () => 70_000, since: 10_000 })
  const reader = goesOn.open(new AbortController().signal)[Symbol.asyncIterator]()
  expect((await reader.next()).value).toEqual(lap[0])
  expect((await reader.next()).value).toEqual(lap[1])
  let isHere = false
  const next = reader.next().then(() => (isHere = true))
  await new Promise((resolve) => setImmediate(resolve))
  expect(isHere).toBe(false)
  await reader.return?.()
  await next
})

async function take(feed: Feed, count: number): Promise<Quake[]> {
  const taken: Quake[] = []
  for await (const quake of feed.open(new AbortController().signal)) {
    taken.push(quake)
    if (taken.length === count) break
  }
  return taken
}

function at(quake: Quake, seconds: number): Quake {
  return { ...quake, time: new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString() }
}

test('a burst lets quakes happen at once, to a reader that waits and to one that asks later', async () => {
  const week = recordedQuakes()
  const feed = replay(week, { now: () => 0 })
  const iterator = feed.open(new AbortController().signal)[Symbol.asyncIterator]()
  expect((await iterator.next()).value).toEqual(week[0])

  const waiting = iterator.next()
  feed.burst(3)
  expect((await waiting).value).toEqual(week[1])
  expect((await iterator.next()).value).toEqual(week[2])
  expect((await iterator.next()).value).toEqual(week[3])
  let isHere = false
  const fifth = iterator.next().then(() => (isHere = true))
  await new Promise((resolve) => setImmediate(resolve))
  expect(isHere).toBe(false)
  await iterator.return?.()
  await fifth
})
