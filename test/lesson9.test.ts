import type { Quake } from '#feed'
import type { Entry } from '#work/09-scale-out/history.ts'
import { startProcess, type ServerProcess } from '#work/09-scale-out/process.ts'
import { check, edgeCase, must, processCheck, type Tools } from './harness/check.ts'
import { deepEqual, tryParseJson } from './harness/equality.ts'
import { turns } from './harness/event-loop.ts'
import { describeError, Failure } from './harness/failure.ts'
import { awkwardQuakes, numberedQuakes, quakes } from './harness/quakes.ts'
import { capitalised, counted } from './harness/reconnection/wording.ts'
import { follow, mustGet, mustTellGap } from './harness/scale-out/follower.ts'
import { holdNext, isBlocking } from './harness/scale-out/hold.ts'
import { livingTimers } from './harness/scale-out/living-timers.ts'
import { ownRedis } from './harness/scale-out/redis.ts'
import { tapRedis, type RedisTap } from './harness/scale-out/redis-tap.ts'
import {
  append,
  listIds,
  openHistory,
  readAfter,
  sharedLog,
  type OpenHistory,
  type SharedLog,
} from './harness/scale-out/shared-log.ts'
import { blockResponses, isRefused } from './harness/scale-out/server-sockets.ts'
import { startCluster } from './harness/scale-out/cluster.ts'
import { mustHaveGot, streamClient } from './harness/scale-out/stream-client.ts'
import { sampleSize } from './harness/sampling.ts'
import { excerpt, excerptJson } from './harness/transcript.ts'

// 9.1 One log for all processes

check('9.1a', 'append() adds one entry with the field "quake"', async (t) => {
  const log = await sharedLog(t)
  const process = await log.open('process A', BRIEF)
  const appended = [...awkwardQuakes(), ...quakes(1)]
  for (const quake of appended) {
    await append(t, process, quake)
    const stored = await log.stored()
    const fields = stored.at(-1)?.[1] ?? []
    const [field, json = ''] = fields
    must(fields.length === 2 && field === 'quake' && deepEqual(tryParseJson(json), quake), {
      seen: `append() resolved, and the newest entry of the stream was ${excerptJson(fields)}.`,
      expected: `Expected one field named "quake", whose value is the quake as JSON: ${excerptJson(['quake', JSON.stringify(quake)])}.`,
    })
  }
  const { length } = await log.stored()
  must(length === appended.length, {
    seen: `append() was called ${appended.length} times, and the stream had ${counted(length, 'entry', 'entries')}.`,
    expected: 'Expected one entry for each call.',
  })
})

check('9.1b', 'after(undefined) returns every kept entry with its stream ID', async (t) => {
  const log = await sharedLog(t)
  const empty = await log.open('process A', BRIEF)
  const nothing = await readAfter(t, empty, undefined)
  must(nothing.entries.length === 0 && !nothing.isGap, {
    seen: `The stream was empty, and after(undefined) returned ${nothing.told}.`,
    expected: 'Expected no entry and no gap.',
  })
  const added = await addAll(log, quakes(3))
  // A process that starts now has to find what others have written before.
  const process = await log.open('process B', BRIEF)
  const { entries, isGap, told } = await readAfter(t, process, undefined)
  must(deepEqual(entries, added) && !isGap, {
    seen: `The stream contained ${listIds(added)}, and after(undefined) returned ${told}${sameIds(entries, added) ? ', with other quakes' : ''}.`,
    expected:
      'Expected every entry of the stream, oldest first and with its stream ID, and no gap.',
    often:
      'your entries have the IDs of their quakes, or your history keeps only what this process has written.',
  })
})

check('9.1c', 'after(id) returns the entries after that ID, from every process', async (t) => {
  const log = await sharedLog(t)
  const [a, b] = [await log.open('process A', BRIEF), await log.open('process B', BRIEF)]
  for (const [n, quake] of quakes(4).entries()) await append(t, n % 2 === 0 ? a : b, quake)
  const added = await entriesOf(log)
  const process = await log.open('process C', BRIEF)
  for (const [n, { id }] of added.entries()) {
    const { entries, isGap, told } = await readAfter(t, process, id)
    const newer = added.slice(n + 1)
    must(deepEqual(entries, newer) && !isGap, {
      seen: `Processes A and B had written ${listIds(added)}. In process C, after("${id}") returned ${told}.`,
      expected: `Expected ${listIds(newer)} and no gap.`,
      often:
        'your range begins with the wrong entry. XRANGE includes both of its IDs, unless you write "(" before an ID.',
    })
  }
})

check('9.1d', 'the stream is trimmed to about its capacity', async (t) => {
  const log = await sharedLog(t)
  const process = await log.open('process A', { ...BRIEF, capacity: 50 })
  const written = numberedQuakes(400)
  await t.withTimeout(Promise.all(written.map((quake) => process.history.append(quake))), {
    seen: 'append() was called 400 times, and not every call resolved.',
    expected: 'Expected every call to resolve.',
  })
  const { length } = await log.stored()
  t.transcript.step('400 quakes are appended')
  must(length <= 50 + MOST_MORE, {
    seen: `The capacity is 50, 400 quakes were appended, and the stream kept ${length} of them.`,
    expected: 'Expected Redis to trim the stream with MAXLEN, because Redis keeps it in memory.',
  })
  must(length >= 50, {
    seen: `The capacity is 50, 400 quakes were appended, and the stream kept only ${length}.`,
    expected: 'Expected the stream to keep at least 50 entries.',
  })
  await mustHaveDefaults(t)
})

/** Checks the default key and the default capacity, on a Redis that no other check uses. */
async function mustHaveDefaults(t: Tools): Promise<void> {
  const redis = await ownRedis(t)
  const tap = await tapRedis(t, redis)
  const opened = await openHistory(t, 'process B', tap, { ...BRIEF, key: undefined })
  await append(t, opened, quakes(1)[0])
  const added =
    tap.commands.find(({ name, args }) => name === 'XADD' && args.includes('quake'))?.args ?? []
  must(added[0] === 'quakes' && added.includes('1000'), {
    seen: `createRedisHistory() was called without a key and a capacity, and append() sent XADD ${excerpt(added.slice(0, 5).join(' '))} ….`,
    expected: 'Expected the key "quakes" and the capacity 1000.',
  })
}

// 9.2 One blocking reader

check('9.2a', 'append() and after() do not wait for the blocking read', async (t) => {
  const log = await sharedLog(t)
  const [first] = await addAll(log, quakes(1))
  const process = await log.open('process A')
  await mustBlock(t, process)
  const { entries } = await readAfter(t, process, undefined)
  must(sameIds(entries, [first!]), {
    seen: `The stream contained ${first!.id}, and after(undefined) returned ${listIds(entries)}.`,
    expected: 'Expected the entry of the stream.',
  })
  await append(t, process, quakes(2)[1])
})

check('9.2b', 'a new entry rings the bell of every process', async (t) => {
  const log = await sharedLog(t)
  const [, first] = await addAll(log, quakes(2))
  const [a, b] = [await log.open('process A'), await log.open('process B')]
  await mustBlock(t, a)
  await mustBlock(t, b)
  // The clients' cursors are never at the oldest entry, because whether that is a gap belongs to task 9.4.
  const cursor = first!.id
  const clients = [
    follow(t, a, { name: 'client 1', cursor }),
    follow(t, b, { name: 'client 2', cursor }),
    follow(t, b, { name: 'client 3', cursor }),
  ]
  for (const quake of quakes(4)) {
    await append(t, a, quake)
    const entry = (await entriesOf(log)).at(-1)!
    // The next entry is added only after each client has this one.
    for (const client of clients) {
      await mustGet(client, [entry], {
        often:
          client === clients[0]
            ? 'your append() or your reader does not call the listeners.'
            : 'your append() calls the listeners of its own process. The other processes hear of an entry only from Redis.',
      })
    }
  }
})

check('9.2c', 'one blocking read serves any number of clients', async (t) => {
  const log = await sharedLog(t)
  await addAll(log, quakes(1))
  const process = await log.open('process A')
  await mustBlock(t, process)
  const clients = Array.from({ length: 50 }, (_, n) =>
    follow(t, process, { name: `client ${n + 1}` }),
  )
  for (const client of clients) await mustGet(client, await entriesOf(log))
  const added = await addAll(log, quakes(3).slice(1))
  for (const client of clients) await mustGet(client, added)
  await mustBlock(t, process)
  const { tap } = process
  const readers = tap.unanswered().filter(isBlocking).length
  must(readers === 1, {
    seen: `50 clients were connected to the process, and ${counted(readers, 'blocking read')} waited in Redis.`,
    expected: 'Expected one blocking read for the whole process.',
    often:
      'your subscribe() or your after() starts a reader of its own. Each blocked connection slows down every XADD.',
  })
  must(tap.openConnections <= 3, {
    seen: `50 clients were connected to the process, which had ${tap.openConnections} connections to Redis.`,
    expected: 'Expected two connections, whatever the number of clients.',
  })
})

check('9.2d', 'no entry is lost between two reads', async (t) => {
  const log = await sharedLog(t)
  const [first, second, third, fourth] = quakes(4)
  const begin = await log.add(first)
  const process = await log.open('process A')
  await mustBlock(t, process)
  const client = follow(t, process, { cursor: begin.id })
  const next = holdNext(process.tap, 'command', isBlocking)
  await mustGet(client, [await log.add(second)])
  await t.waitFor(() => next.isHeld, NO_NEXT_READ)
  t.transcript.step('the next XREAD of process A has not reached Redis yet')
  const between = await log.add(third)
  next.release()
  await mustGet(client, [between], BETWEEN)
  await mustGet(client, [await log.add(fourth)], BETWEEN)
})

check('9.2e', 'when XREAD times out, the reader continues where it was', async (t) => {
  const log = await sharedLog(t)
  const [first, second, third] = quakes(3)
  const begin = await log.add(first)
  const process = await log.open('process A', { blockMs: 20 })
  await mustBlock(t, process)
  const client = follow(t, process, { cursor: begin.id })
  const next = holdNext(process.tap, 'command', isBlocking)
  await t.waitFor(() => next.isHeld, {
    seen: 'blockMs is 20 and no entry was added, but after the first XREAD, no other XREAD followed.',
    expected: 'Expected the next XREAD as soon as the previous one has timed out.',
    often: 'your loop ends if xRead() resolves to null, or your XREAD has another timeout.',
  })
  t.transcript.step('XREAD timed out, and the next XREAD has not reached Redis yet')
  const between = await log.add(second)
  next.release()
  // The reader may be between two reads again.
  await t.waitFor(() => process.tap.unanswered().some(isBlocking), NO_NEXT_READ)
  const fence = await log.add(third)
  await mustGet(client, [between, fence], BETWEEN)
})

edgeCase('9.2f', 'unsubscribing removes only one listener', async (t) => {
  const log = await sharedLog(t)
  const process = await log.open('process A')
  await mustBlock(t, process)
  const rung = { leaves: 0, stays: 0 }
  const stop = process.history.subscribe(() => (rung.leaves += 1))
  process.history.subscribe(() => (rung.stays += 1))
  const [first, second] = quakes(2)
  await log.add(first)
  await t.waitFor(() => rung.leaves > 0 && rung.stays > 0, {
    seen: `An entry was added. Of two listeners, ${rung.leaves === 0 ? 'the first' : 'the second'} was not called.`,
    expected: 'Expected every listener to be called.',
  })
  t.transcript.step('listener 1 unsubscribes, twice')
  stop()
  stop()
  const before = { ...rung }
  await mustBlock(t, process)
  await log.add(second)
  await t.waitFor(() => rung.stays > before.stays, {
    seen: 'Listener 1 unsubscribed twice, and then listener 2 was no longer called.',
    expected: 'Expected unsubscribing a second time to have no effect.',
    often:
      'your code passes the -1 from indexOf() to splice(), and splice(-1, 1) removes the last listener.',
  })
  must(rung.leaves === before.leaves, {
    seen: 'Listener 1 had unsubscribed, and it was called again.',
    expected: 'Expected a listener not to be called after it has unsubscribed.',
  })
})

// 9.3 From replay to live

check('9.3a', 'an entry that is added while Redis answers is not lost', (t) =>
  playHandover(t, 'reply', {
    often:
      'your code reads the history first, and only then begins to listen. The entry is in neither.',
  }),
)

check('9.3b', 'an entry that is added before Redis answers arrives once', (t) =>
  playHandover(t, 'command', {
    often:
      'your code sends what has arrived meanwhile, even if it is already in the answer of Redis.',
  }),
)

check('9.3c', 'IDs are compared as pairs of numbers', async (t) => {
  const ids = [
    ...['5-9', '5-10', '5-11', '9-0', '10-0', '99-7', '100-0'],
    ...['9007199254740992-0', '9007199254740993-0', '9007199254740993-9007199254740993'],
    ...['9007199254740993-10000000000000000000', '10000000000000000000-1'],
  ]
  const log = await sharedLog(t)
  const live = await log.open('process A')
  const client = follow(t, live, { name: 'client 1' })
  const added: Entry[] = []
  for (const [n, id] of ids.entries()) {
    const entry = await log.add(quakes(n + 1)[n]!, id)
    added.push(entry)
    await mustGet(client, [entry], AS_TEXT)
  }
  // In this process, the window has only the newest entries.
  const small = await log.open('process B', { capacity: 2 })
  for (const [n, { id }] of added.entries()) {
    // Whether the oldest entry is a gap belongs to task 9.4.
    for (const process of n === 0 ? [live] : [live, small]) {
      const { entries, isGap, told } = await readAfter(t, process, id)
      const newer = added.slice(n + 1)
      must(sameIds(entries, newer) && !isGap, {
        seen: `The stream contained ${listIds(added)}. In ${process.name}, after("${id}") returned ${told}.`,
        expected: `Expected ${listIds(newer)} and no gap.`,
        ...AS_TEXT,
      })
    }
  }
})

check('9.3d', 'an ID that this process has not read yet is not a gap', async (t) => {
  const log = await sharedLog(t)
  const [first, second, third, fourth] = quakes(4)
  await log.add(first)
  const [a, b] = [await log.open('process A'), await log.open('process B')]
  await mustBlock(t, b)
  const slow = holdNext(b.tap, 'reply', isBlocking)
  const ahead = await log.add(second)
  await t.waitFor(() => slow.isHeld, NO_NEXT_READ)
  t.transcript.step(`process B has not received ${ahead.id} yet`)
  await mustGet(follow(t, a, { name: 'client 1', cursor: ahead.id }), [await log.add(third)])
  const client = follow(t, b, { name: 'client 2', cursor: ahead.id })
  // Either Redis is asked, or the client waits until the reader is there.
  await turns(20)
  slow.release()
  const fence = await log.add(fourth)
  const added = await entriesOf(log)
  await mustGet(client, [added.at(-2)!, fence], {
    often:
      'your history sends everything in its window that is not older than the cursor, or it treats a new cursor like an old one.',
    oftenAtGap:
      'your history reports a gap if it does not find the ID in its window. Another process may have read further.',
  })
})

check('9.3e', 'a new entry costs no command per client', async (t) => {
  const log = await sharedLog(t)
  await addAll(log, quakes(1))
  const process = await log.open('process A')
  await mustBlock(t, process)
  const [kept] = await entriesOf(log)
  const clients = Array.from({ length: 20 }, (_, n) =>
    follow(t, process, { name: `client ${n + 1}`, cursor: kept!.id }),
  )
  const { commands } = process.tap
  await turns(20)
  const before = process.tap.commands.length
  for (const quake of quakes(6).slice(1)) {
    const entry = await log.add(quake)
    for (const client of clients) await mustGet(client, [entry])
  }
  const sent = process.tap.commands.slice(Math.max(before, commands.length))
  must(sent.length <= 20, {
    seen: `20 clients had every entry, and 5 entries were added. The process sent ${sent.length} commands to Redis: ${countNames(sent.map(({ name }) => name))}.`,
    expected:
      'Expected a few commands for each entry, whatever the number of clients, because the process already has the entry.',
    often:
      'your after() asks Redis each time. Keep the newest entries in memory, and answer from there.',
  })
})

edgeCase('9.3f', 'the window evicts old entries when new ones arrive', async (t) => {
  const log = await sharedLog(t)
  const process = await log.open('process A', { capacity: 10 })
  await mustBlock(t, process)
  const client = follow(t, process)
  for (const quake of numberedQuakes(60)) {
    const entry = await log.add(quake)
    await mustGet(client, [entry])
  }
  const added = await entriesOf(log)
  const before = process.tap.commands.length
  const { entries, isGap, told } = await readAfter(t, process, added[9]!.id)
  must(sameIds(entries, added.slice(10)) && !isGap, {
    seen: `The stream kept 60 entries, and after() with the ID of entry 10 returned ${told}.`,
    expected: 'Expected the 50 entries after it and no gap.',
  })
  must(process.tap.commands.length > before, {
    seen: 'The capacity is 10, and the process returned the last 50 entries without asking Redis.',
    expected:
      'Expected the process to keep at most 10 entries in its memory, and to ask Redis for older ones.',
    often: 'your window never evicts an entry.',
  })
})

edgeCase('9.3g', 'an array that after() returned does not change later', async (t) => {
  const log = await sharedLog(t)
  const added = await addAll(log, quakes(3))
  const process = await log.open('process A')
  await mustBlock(t, process)
  const client = follow(t, process, { cursor: added.at(-1)!.id })
  const answers = [
    await readAfter(t, process, undefined),
    await readAfter(t, process, added[0]!.id),
    await readAfter(t, process, added[2]!.id),
  ]
  const were = answers.map(({ entries }) => listIds(entries))
  await mustGet(client, [await log.add(quakes(4)[3])])
  for (const [n, { entries }] of answers.entries()) {
    must(listIds(entries) === were[n], {
      seen: `after() returned ${were[n]}. Then another entry was added, and the returned array changed to ${listIds(entries)}.`,
      expected:
        'Expected the array to stay the same, because the server may still be sending it to a slow client.',
      often: 'your after() returns the array of the window itself. Return a copy.',
    })
  }
})

// 9.4 Gaps

check('9.4a', 'a trimmed entry after the cursor is a gap', async (t) => {
  const log = await sharedLog(t)
  const added = await addAll(log, quakes(8))
  await log.trimTo(3)
  const process = await log.open('process A')
  // Nothing after the entry that was trimmed last is missing, so that cursor may be a gap or not.
  for (const { id } of added.slice(0, -4)) await mustBeGap(t, process, id, added.slice(-3), TRIMMED)
})

check('9.4b', 'a cursor at the oldest kept entry is not a gap', async (t) => {
  const log = await sharedLog(t)
  const added = await addAll(log, quakes(8))
  await log.trimTo(3)
  const kept = added.slice(-3)
  for (const capacity of [1, 1000]) {
    const process = await log.open(`process ${capacity === 1 ? 'A' : 'B'}`, { capacity })
    for (const [n, { id }] of kept.entries()) {
      const { entries, isGap, told } = await readAfter(t, process, id)
      must(!isGap && sameIds(entries, kept.slice(n + 1)), {
        seen: `The stream kept ${listIds(kept)}, and after("${id}") returned ${told}.`,
        expected: `Expected ${listIds(kept.slice(n + 1))} and no gap, because ${id} is still kept, so nothing after it is missing.`,
        often:
          'your range excludes the cursor, so your code cannot see whether that entry is still kept.',
      })
    }
  }
})

check('9.4c', 'an ID that is not in the stream is a gap', async (t) => {
  for (const ids of [['5-1', '5-3', '7-0', '9-2'], []]) {
    const log = await sharedLog(t)
    const added: Entry[] = []
    for (const [n, id] of ids.entries()) added.push(await log.add(quakes(n + 1)[n]!, id))
    const process = await log.open('process A')
    for (const id of ['1-0', '5-2', '6-0', '9-3', '1716200000123-0']) {
      await mustBeGap(t, process, id, added, {
        often:
          'your code compares the cursor with the oldest and the newest entry. The cursor may also be from a log that has been deleted.',
      })
    }
  }
})

check('9.4d', 'only a complete ID reaches Redis', async (t) => {
  const log = await sharedLog(t)
  const added = await addAll(log, quakes(3))
  const process = await log.open('process A')
  const [{ id }] = added as [Entry]
  for (const odd of [
    '$',
    '+',
    '-',
    '>',
    '0',
    id.split('-')[0]!,
    `(${id}`,
    ` ${id}`,
    `${id}\n`,
    'us7000',
  ])
    await mustBeGap(t, process, odd, added, {
      often:
        'your code passes the text to Redis. Redis gives "$", "+", "-" and an ID without its second number a meaning.',
    })
  const sent = process.tap.commands.find(({ name, args }) =>
    ['XRANGE', 'XREVRANGE'].includes(name) ? args.some((arg) => ODD.test(arg)) : false,
  )
  must(!sent, {
    seen: `The client sent a malformed ID, and the process sent ${sent?.name} ${excerpt(sent?.args.join(' ') ?? '')} to Redis.`,
    expected: 'Expected only complete IDs to be sent to Redis.',
  })
})

edgeCase('9.4e', 'an ID with a number above 2⁶⁴ − 1 is unknown', async (t) => {
  const log = await sharedLog(t)
  const added = await addAll(log, quakes(2))
  const process = await log.open('process A')
  for (const id of [
    '18446744073709551616-0',
    '5-18446744073709551616',
    '99999999999999999999-99999999999999999999',
  ]) {
    await mustBeGap(t, process, id, added, {
      often: 'your code sends the ID to Redis, which answers "ERR Invalid stream ID".',
    })
  }
  await mustBeGap(t, process, '18446744073709551615-18446744073709551615', added)
})

edgeCase('9.4f', 'trimming during a read is a gap, or the answer is complete', async (t) => {
  const log = await sharedLog(t)
  const added = await addAll(log, quakes(8))
  const process = await log.open('process A', { capacity: 1 })
  await mustBlock(t, process)
  const answer = holdNext(process.tap, 'reply', (command) => !isBlocking(command))
  const reading = readAfter(t, process, added[1]!.id)
  await t.waitFor(() => answer.isHeld, {
    seen: 'after() was called with an old ID, and no command was sent to Redis.',
    expected: 'Expected after() to ask Redis.',
  })
  t.transcript.step('the reply to the first command of after() is on its way')
  await log.trimTo(2)
  answer.release()
  const { entries, isGap, told } = await reading
  must(isGap || sameIds(entries, added.slice(2)), {
    seen: `The stream was trimmed while after("${added[1]!.id}") read it. It returned ${told}, and no gap.`,
    expected: `Expected ${listIds(added.slice(2))}, or a gap.`,
    often:
      'your code first asks whether the entry is still there, and then reads. The stream may be trimmed in between. Ask both with one XRANGE.',
  })
})

edgeCase('9.4g', 'if the stream is trimmed past the reader, every client gets a gap', async (t) => {
  const log = await sharedLog(t)
  const [first, second, ...more] = quakes(12)
  const begin = await log.add(first)
  const process = await log.open('process A')
  await mustBlock(t, process)
  const client = follow(t, process, { cursor: begin.id })
  const next = holdNext(process.tap, 'command', isBlocking)
  await mustGet(client, [await log.add(second)])
  await t.waitFor(() => next.isHeld, NO_NEXT_READ)
  t.transcript.step('the next XREAD of process A has not reached Redis yet')
  const added = await addAll(log, more)
  await log.trimTo(3)
  next.release()
  await mustTellGap(
    client,
    `The stream was trimmed to ${listIds(added.slice(-3))} before the process had read the entries before them`,
    'your reader takes the next entries that XREAD returns, and does not check that its last entry is still there.',
  )
  await mustGet(client, added.slice(-3))
})

// 9.5 Redis goes away

check('9.5a', 'entries that are added while the connection is lost arrive once', async (t) => {
  const log = await sharedLog(t)
  const [first, second, third, ...more] = quakes(6)
  const begin = await log.add(first)
  const process = await log.open('process A')
  await mustBlock(t, process)
  const client = follow(t, process, { cursor: begin.id })
  await mustGet(client, [await log.add(second)])
  process.tap.cut()
  await mustGet(client, [await log.add(third)], AWAY)
  await mustBlock(t, process)
  await goAway(t, process)
  const added = await addAll(log, more)
  process.tap.refuse(false)
  await mustGet(client, added, AWAY)
  await mustSurviveRestart(t)
})

/** Checks that a restart of Redis with its data is not a gap. */
async function mustSurviveRestart(t: Tools): Promise<void> {
  const redis = await ownRedis(t)
  const log = await sharedLog(t, redis)
  const begin = await addAll(log, quakes(2))
  const process = await log.open('process B')
  await mustBlock(t, process)
  const client = follow(t, process, { cursor: begin.at(-1)!.id })
  await redis.stop()
  await redis.start({ keepsData: true })
  await mustGet(client, await addAll(log, quakes(4).slice(2)), AWAY)
}

check('9.5b', 'after() waits while Redis is away', async (t) => {
  const log = await sharedLog(t)
  const added = await addAll(log, quakes(5))
  const process = await log.open('process A', { capacity: 1 })
  await mustBlock(t, process)
  const lost = holdNext(process.tap, 'reply', (command) => !isBlocking(command))
  const clients = [follow(t, process, { name: 'client 1', cursor: added[0]!.id })]
  await t.waitFor(() => lost.isHeld, {
    seen: 'A client connected with an old cursor, and no command was sent to Redis.',
    expected: 'Expected after() to ask Redis.',
  })
  t.transcript.step('Redis has not answered client 1 yet')
  await goAway(t, process)
  clients.push(follow(t, process, { name: 'client 2', cursor: added[1]!.id }))
  await turns(50)
  process.tap.refuse(false)
  for (const [n, client] of clients.entries()) {
    await mustGet(client, added.slice(n + 1), {
      often: 'your after() asks only once. Ask again until Redis answers.',
    })
  }
})

check('9.5c', 'after stallMs without a reply, the process connects again', async (t) => {
  const log = await sharedLog(t)
  const [first, second, ...more] = quakes(4)
  const begin = await log.add(first)
  // Connecting may count as a part of stallMs, so on a busy machine a shorter time would end before it.
  const process = await log.open('process A', { blockMs: 50, stallMs: 500 })
  await mustBlock(t, process)
  const client = follow(t, process, { cursor: begin.id })
  await mustGet(client, [await log.add(second)])
  const { tap } = process
  const opened = (): number => tap.events.filter(({ kind }) => kind === 'opened').length
  const before = opened()
  tap.freeze(true)
  await t.waitFor(() => opened() > before, {
    seen: 'stallMs is 500. Redis froze, so no reply arrived and no connection was closed. The process did not connect again.',
    expected: 'Expected the process to give up on the reply after stallMs, and to connect again.',
    often:
      'your reader waits for its reply forever. A frozen Redis causes no error, so only a timer can notice it.',
  })
  const added = await addAll(log, more)
  tap.freeze(false)
  await mustGet(client, added, AWAY)
})

check('9.5d', 'if Redis returns without its data, every client gets one gap', async (t) => {
  for (const isEmpty of [false, true]) {
    const log = await sharedLog(t)
    const begin = await addAll(log, quakes(3))
    const process = await log.open('process A')
    await mustBlock(t, process)
    const clients = ['client 1', 'client 2'].map((name) =>
      follow(t, process, { name, cursor: begin.at(-1)!.id }),
    )
    await goAway(t, process)
    await log.delete()
    const first = isEmpty ? [] : await addAll(log, quakes(5).slice(3))
    process.tap.refuse(false)
    for (const client of clients) {
      await mustTellGap(
        client,
        `Redis came back without its data${isEmpty ? '' : `, and with ${listIds(first)}`}`,
        'your reader goes on after its last ID, and does not check that the stream still has that entry.',
      )
    }
    if (isEmpty) await mustBlock(t, process)
    const entries = [...first, await log.add(quakes(6)[5])]
    for (const client of clients) {
      await mustGet(client, entries, {
        oftenAtGap: 'your history reports the same gap again, although the client knows of it.',
      })
    }
  }
})

check('9.5e', 'an append() that is not confirmed rejects, and is not repeated', async (t) => {
  const log = await sharedLog(t)
  const process = await log.open('process A')
  await mustBlock(t, process)
  const [first, second] = quakes(2)
  const lost = holdNext(process.tap, 'reply', ({ name }) => name === 'XADD')
  const appended = process.history.append(first).then(
    () => 'resolved',
    () => 'rejected',
  )
  await t.waitFor(() => lost.isHeld, {
    seen: 'append() was called, and no XADD was sent to Redis.',
    expected: 'Expected append() to send XADD.',
  })
  t.transcript.step('Redis has stored the entry, and its reply is on its way')
  process.tap.cut()
  const outcome = await t.withTimeout(appended, {
    seen: 'The connection was lost before Redis confirmed an XADD, and append() neither resolved nor rejected.',
    expected: 'Expected append() to reject, so that the caller can decide what to do.',
  })
  must(outcome === 'rejected', {
    seen: 'The connection was lost before Redis confirmed an XADD, and append() resolved.',
    expected: 'Expected append() to reject, because Redis has not confirmed the entry.',
    often: 'your append() repeats the XADD, or ignores its error.',
  })
  await append(t, process, second)
  const { length } = await log.stored()
  must(length === 2, {
    seen: `append() rejected, another append() resolved, and the stream had ${counted(length, 'entry', 'entries')}.`,
    expected:
      'Expected the quake of the first call to be in the stream once, because XADD was sent once.',
    often: 'your append() repeats the XADD before it rejects.',
  })
})

check('9.5f', 'close() ends everything at once', async (t) => {
  const timers = livingTimers(t)
  const log = await sharedLog(t)
  await addAll(log, quakes(1))
  const process = await log.open('process A')
  await mustBlock(t, process)
  await mustClose(t, process, 'The reader was waiting for an entry')
  await t.waitFor(() => timers.count() === 0, {
    seen: () => `close() resolved, and ${counted(timers.count(), 'timer')} of your code ran on.`,
    expected: 'Expected no timer, because a timer keeps the process alive.',
  })
})

edgeCase('9.5g', 'close() also works while Redis is away', async (t) => {
  const log = await sharedLog(t)
  const added = await addAll(log, quakes(3))
  for (const how of ['refused', 'frozen']) {
    const process = await log.open('process A', { capacity: 1 })
    await mustBlock(t, process)
    if (how === 'refused') await goAway(t, process)
    else process.tap.freeze(true)
    const reading = process.history.after(added[0]!.id).then(
      () => 'resolved',
      () => 'rejected',
    )
    await turns(10)
    await mustClose(t, process, `Redis was ${how}`)
    const outcome = await t.withTimeout(reading, {
      seen: `Redis was ${how}, and close() resolved. An after() that waited for Redis did not end.`,
      expected: 'Expected after() to reject, because nothing will answer it.',
      often: 'your after() asks again and again, even after close().',
    })
    must(outcome === 'rejected', {
      seen: `Redis was ${how}, and close() resolved. An after() that waited for Redis resolved as well.`,
      expected: 'Expected after() to reject, because Redis has not answered it.',
    })
    await t.withTimeout(process.history.close(), {
      seen: 'close() was called a second time, and did not resolve.',
      expected: 'Expected the second call to do nothing.',
    })
  }
})

// 9.6 Stop and kill

check('9.6a', 'startProcess() serves the shared history', async (t) => {
  const { log, server } = await startHere(t)
  const added = await addAll(log, quakes(2))
  const clients = ['client 1', 'client 2'].map((name) => streamClient(t, server.port, name))
  for (const client of clients) await mustHaveGot(t, client, added, SERVES)
  added.push(await log.add(quakes(3)[2]))
  for (const client of clients) await mustHaveGot(t, client, added, SERVES)
})

check('9.6b', 'stop() stops listening, and ends each stream normally', async (t) => {
  const timers = livingTimers(t)
  const { log, server, tap } = await startHere(t, { graceMs: LONG })
  const added = await addAll(log, quakes(2))
  const client = t.connect(server, 'client 1')
  const story = {
    seen: 'GET /events got no response head.',
    expected: 'Expected the stream of the history.',
  }
  await client.get('/events', story)
  for (let n = 0; n < added.length; n += 1) await client.events.next(story)
  t.transcript.step('stop()')
  const stopped = server.stop()
  const how = await client.ended({
    seen: 'stop() was called, and the stream of a client that reads stayed open.',
    expected: 'Expected the stream to end at once, without waiting for graceMs.',
    often: 'your stop() does not abort the signal that server.ts calls shutdown.',
  })
  must(how === 'complete', {
    seen: 'stop() was called, and the connection of a client that reads was cut.',
    expected: 'Expected the response to end normally, with its last chunk.',
    often:
      'your stop() calls closeAllConnections() at once, or it closes the history before the streams have ended.',
  })
  must(await isRefused(server.port), {
    seen: 'stop() was called. The stream of client 1 ended, and another connection to the same process was accepted.',
    expected:
      'Expected the process to refuse connections, so that the client reaches another process.',
    often: 'your stop() ends the streams first, and calls close() of the server only after that.',
  })
  await mustBeStopped(t, stopped, 'every client had left')
  await mustLeaveNothing(t, tap, timers)
})

check('9.6c', 'after graceMs, stop() cuts stalled clients, and leaves nothing', async (t) => {
  const timers = livingTimers(t)
  const { log, server, tap } = await startHere(t, { graceMs: 50 })
  const block = blockResponses(t, server.port)
  const [first, second] = quakes(2)
  await log.add(first)
  const client = streamClient(t, server.port, 'client 1')
  await mustHaveGot(t, client, await entriesOf(log), SERVES)
  t.transcript.step('client 1 stalls')
  block()
  await log.add(second)
  await turns(20)
  t.transcript.step('stop(), twice')
  const stops = [server.stop(), server.stop()]
  for (const stopped of stops)
    await mustBeStopped(t, stopped, 'graceMs is 50 and a client had stalled')
  await mustLeaveNothing(t, tap, timers)
  await mustBeStopped(t, server.stop(), 'the process had already stopped')
})

processCheck(
  '9.6d',
  'however processes are stopped, killed and replaced, no entry is lost',
  async (t) => {
    const cluster = await startCluster(t)
    await cluster.restartAll()
    let moments = 0
    for (let addAt = 0; addAt < START_MOMENTS; addAt += 1) moments = await cluster.killAt({ addAt })
    const kills = Math.ceil(moments / EVERY)
    for (let kill = 0; kill < sampleSize(kills); kill += 1) {
      await cluster.killAt({ moment: kill * EVERY })
    }
  },
)

/** The most entries that approximate trimming keeps beyond the capacity, in blocks of up to 100. */
const MOST_MORE = 200

/** Matches what Redis would not read as a complete ID, except for the ends of a range and the beginning of the stream. */
const ODD = /^(\$|>|us7000|\(.*| .*|.*\n|\d{13,})$/

/** The reader belongs to task 9.2. One that blocks so briefly does not disturb task 9.1. */
const BRIEF = { blockMs: 1 }

/** A time in which a check never waits. */
const LONG = 60_000

/** The moments at which an entry is added while a process starts: its first reads and their replies. */
const START_MOMENTS = 3

/** The distance between the moments at which a process is killed. A test of the workshop tries every moment. */
const EVERY = 3

const SERVES = {
  often: 'your startProcess() does not pass on its options, or the app has another history.',
}

const AS_TEXT = {
  often:
    'your code compares IDs as text, or as numbers above 2⁵³. As text, "5-10" comes before "5-9". Compare both parts with BigInt.',
}

const BETWEEN = {
  often:
    'your reader asks for what comes after "$". Redis resolves "$" again for each XREAD, so what is added between two reads is lost.',
}

const TRIMMED = {
  often: 'your history returns what is left, and does not notice what has been trimmed.',
}

const AWAY = {
  often:
    'your reader ends with the first error, or it goes on after "$" instead of after its last entry.',
  oftenAtGap: 'your history reports a gap after each lost connection.',
}

const NO_NEXT_READ = {
  seen: 'An entry was read, and no other XREAD followed.',
  expected: 'Expected the next XREAD as soon as the previous one has been answered.',
}

/** Adds entries to the stream, as another process would. */
async function addAll(log: SharedLog, added: readonly Quake[]): Promise<Entry[]> {
  const entries: Entry[] = []
  for (const quake of added) entries.push(await log.add(quake))
  return entries
}

/** Returns the entries of the stream. */
async function entriesOf(log: SharedLog): Promise<Entry[]> {
  const stored = await log.stored()
  return stored.map(([id, fields]) => ({ id, quake: tryParseJson(fields[1]!) as Quake }))
}

function sameIds(some: readonly Entry[], others: readonly Entry[]): boolean {
  return deepEqual(
    some.map(({ id }) => id),
    others.map(({ id }) => id),
  )
}

function countNames(names: string[]): string {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].map(([name, count]) => `${count} × ${name}`).join(', ')
}

/** Waits until the reader of a process is waiting in Redis. */
async function mustBlock(t: Tools, { name, tap }: { name: string; tap: RedisTap }): Promise<void> {
  await t.waitFor(() => tap.unanswered().some(isBlocking), {
    seen: `${capitalised(name)} was running, and no XREAD with BLOCK was waiting in Redis.`,
    expected: 'Expected one blocking read, which Redis answers when there is a new entry.',
    often: 'your reader polls, or it ends with the first answer.',
  })
}

/** Closes the connections of a process, and refuses new ones until the check accepts them again. */
async function goAway(t: Tools, { tap }: OpenHistory): Promise<void> {
  tap.refuse(true)
  tap.cut()
  await t.waitFor(() => tap.events.some(({ kind }) => kind === 'refused'), {
    seen: 'The connections to Redis were lost, and the process did not try to connect again.',
    expected: 'Expected the process to connect again.',
    often: 'your client has no reconnect strategy, or your code destroys it after an error.',
  })
}

/**
 * Adds an entry while a client's read of the history is on its way, and then another. The client's cursor is old, so that
 * every design has to ask Redis.
 */
async function playHandover(
  t: Tools,
  kind: 'command' | 'reply',
  causes: { often: string },
): Promise<void> {
  const log = await sharedLog(t)
  const added = await log.addMany(numberedQuakes(20))
  const process = await log.open('process A', { capacity: 5 })
  await mustBlock(t, process)
  const read = holdNext(process.tap, kind, (command) => !isBlocking(command))
  const client = follow(t, process, { cursor: added[3]!.id })
  await t.waitFor(
    () => read.isHeld,
    () => ({
      seen: `The capacity is 5, and the stream contained 20 entries. A client connected with the cursor of entry 4, and got ${counted(client.got.length, 'entry', 'entries')}, but no command was sent to Redis.`,
      expected:
        'Expected after() to ask Redis, because the window should have only the newest 5 entries.',
      ...(client.got.length > 5 && {
        often: 'your window holds more than `capacity` entries when it is filled at the start.',
      }),
    }),
  )
  t.transcript.step(
    kind === 'reply'
      ? 'Redis has answered, and its reply is on its way'
      : 'the command is on its way to Redis',
  )
  const [meanwhile, then] = quakes(2)
  const reads = (): number => process.tap.commands.filter(isBlocking).length
  const before = reads()
  const between = await log.add(meanwhile)
  // The reader has that entry when it waits for the next one.
  await t.waitFor(() => reads() > before, NO_NEXT_READ)
  await turns(20)
  read.release()
  await mustGet(client, [...added.slice(4), between], causes)
  await mustGet(client, [await log.add(then)], causes)
}

/** Checks that an ID counts as a gap, and that everything that is kept is returned. */
async function mustBeGap(
  t: Tools,
  process: OpenHistory,
  id: string,
  kept: readonly Entry[],
  causes: { often?: string } = {},
): Promise<void> {
  const { entries, isGap, told } = await readAfter(t, process, id)
  must(isGap && sameIds(entries, kept), {
    seen: `The stream kept ${listIds(kept)}, and after(${JSON.stringify(id)}) returned ${told}${isGap ? '' : ' and no gap'}.`,
    expected: `Expected a gap and ${kept.length === 0 ? 'no entry' : 'everything that is kept'}, because entries may be missing after that ID.`,
    ...causes,
  })
}

/** Closes the history, and checks that no connection is left. */
async function mustClose(t: Tools, { history, tap }: OpenHistory, when: string): Promise<void> {
  t.transcript.step('close()')
  await t.withTimeout(history.close(), {
    seen: `${when}. close() was called, and did not resolve.`,
    expected: 'Expected close() to end the blocking read and to resolve at once.',
    often:
      'your code calls close() of the client, which waits for the reply to XREAD. Call destroy().',
  })
  await t.waitFor(() => tap.openConnections === 0, {
    seen: () =>
      `${when}. close() resolved, and ${counted(tap.openConnections, 'connection')} to Redis stayed open.`,
    expected: 'Expected no connection to be left.',
    often: 'your close() ends only one of the two connections.',
  })
}

/** Starts a server with the learner's `process.ts`, in this process. */
async function startHere(
  t: Tools,
  options: { graceMs?: number } = {},
): Promise<{ log: SharedLog; tap: RedisTap; server: ServerProcess }> {
  const log = await sharedLog(t)
  const tap = await tapRedis(t, log.redis)
  t.transcript.step(
    `startProcess({ redisUrl, key${'graceMs' in options ? `, graceMs: ${options.graceMs}` : ''} })`,
  )
  const starting = startProcess({ redisUrl: tap.url, key: log.key, ...options })
  t.atEnd(() => void starting.then((server) => server.stop()).catch(() => {}))
  const server = await t.withTimeout(starting, {
    seen: 'startProcess() did not resolve.',
    expected: 'Expected startProcess() to resolve with the port and stop().',
  })
  return { log, tap, server }
}

async function mustBeStopped(t: Tools, stopped: Promise<void>, when: string): Promise<void> {
  await t.withTimeout(
    stopped.catch((error: unknown) => {
      throw new Failure({
        seen: `stop() rejected: ${describeError(error)}.`,
        expected: 'Expected stop() to resolve.',
      })
    }),
    {
      seen: `stop() was called and ${when}, but stop() did not resolve.`,
      expected: 'Expected stop() to resolve when nothing is left.',
      often:
        'your stop() waits for server.close(), and nothing cuts the connections that stay open.',
    },
  )
}

async function mustLeaveNothing(
  t: Tools,
  tap: RedisTap,
  timers: { count(): number },
): Promise<void> {
  await t.waitFor(() => tap.openConnections === 0, {
    seen: () =>
      `stop() resolved, and ${counted(tap.openConnections, 'connection')} to Redis stayed open.`,
    expected: 'Expected no connection, because it keeps the process alive.',
    often: 'your stop() does not close the history.',
  })
  await t.waitFor(() => timers.count() === 0, {
    seen: () => `stop() resolved, and ${counted(timers.count(), 'timer')} of your code ran on.`,
    expected: 'Expected no timer, because a timer keeps the process alive.',
    often: 'your stop() does not clear the timer of graceMs.',
  })
}
