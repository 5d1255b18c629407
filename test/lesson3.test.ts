import { mount, eventOf, notListed } from './harness/react/mount.ts'
import { createElement, Suspense, type ReactNode } from 'react'
import type { Quake } from '#feed'
import { useQuakes } from '#work/03-react/useQuakes.ts'
import { check, must, type Tools, edgeCase } from './harness/check.ts'
import { deepEqual } from './harness/equality.ts'
import type { Story } from './harness/failure.ts'
import { describeQuake, quakes } from './harness/quakes.ts'
import {
  deliver,
  fail,
  loseAndFind,
  sourcesOf,
  type BrowserEventSource,
} from './harness/react/browser-event-source.ts'
import { burst, BURST } from './harness/react/burst.ts'
import {
  describeConnections,
  fence,
  openConnections,
  sourcesWere,
} from './harness/react/connections.ts'
import {
  quakesApart,
  showLiveQuakes,
  identifies,
  STATUS,
  textOf,
} from './harness/react/live-quakes.ts'
import { openPage, reportedByReact, type Page } from './harness/react/page.ts'
import { pageListeners } from './harness/react/page-listeners.ts'
import { hideTab, showTab } from './harness/react/tab.ts'
import { forgiveUncaught } from './harness/uncaught-errors.ts'
import type { Watcher } from './harness/react/watcher.ts'
import { scriptedServer } from './harness/scripted-server.ts'
import { excerptJson, SILENT } from './harness/transcript.ts'
import { trackTimers } from './harness/work-timers.ts'

// 3.1 One connection

check('3.1a', 'each quake is shown when it comes', async (t) => {
  const { watcher, connects, lists } = await mount(t)
  await connects()
  const handedOut: { list: readonly Quake[]; copy: readonly Quake[] }[] = []
  for (const quake of quakes(3)) {
    await lists(quake, {
      story: {
        ...notListed(quake),
        often:
          "nobody listens to 'message', or the state is changed in place: React sees no difference.",
      },
    })
    const list = watcher.view.quakes
    handedOut.push({ list, copy: [...list] })
    const [first] = list
    must(deepEqual(first, quake), {
      seen: `The first quake of the list is ${excerptJson(first)}`,
      expected: `Expected ${excerptJson(quake)}`,
      often:
        first?.id === quake.id
          ? 'it is changed on its way. What JSON.parse() makes of event.data is the quake.'
          : 'a quake is put at the end, or the list is sorted. The last one to come is the first.',
    })
  }
  must(
    handedOut.every(({ list, copy }) => deepEqual(list, copy)),
    {
      seen: 'Three quakes came, and the quakes array of an earlier render has changed.',
      expected:
        'Expected a new array whenever the list changes: memo() compares arrays by identity.',
      often: 'one array is kept, and changed with push(), unshift(), splice() or sort().',
    },
  )
})

check('3.1b', 'a render that is thrown away opens no connection', async (t) => {
  const server = await scriptedServer(t)
  const never = new Promise<void>(() => {})
  const Waits = (): ReactNode => {
    useQuakes(server.url)
    throw never
  }
  const page = await openPage(t, [server.url])
  const fallback = createElement('p', null, 'in a moment')
  page.draw(createElement(Suspense, { fallback }, createElement(Waits)))
  t.transcript.step('React throws a first render away')
  await page.waitFor(() => page.body.textContent === 'in a moment', {
    seen: 'React shows no fallback for a component that waits.',
    expected: 'Expected the render to end as it should.',
  })
  await fence(t)
  must(sourcesOf(server.url).length === 0, {
    seen: 'A component was rendered and never shown, and it opened a connection.',
    expected: 'Expected none: React renders what it may throw away, and cleans up nothing then.',
    often:
      'new EventSource() stands in the body, in useMemo() or in useState(). Effects run only for what is shown.',
  })
})

check('3.1c', 'under StrictMode one connection is open', async (t) => {
  const { server, connects, lists } = await mount(t, { strict: true })
  await connects()
  const [quake] = quakes(1)
  await lists(quake)
  const open = openConnections(server)
  must(open === 1, {
    seen: `The component is shown under StrictMode, and ${describeConnections(open)} ${open === 1 ? 'is' : 'are'} open.`,
    expected: 'Expected one. StrictMode runs each effect, its cleanup, and the effect again.',
    often: 'the effect returns no cleanup, or the cleanup closes nothing, or not at once.',
  })
})

check('3.1d', 'when the component goes, its connection goes', async (t) => {
  const { page, server, draw, connects, lists } = await mount(t)
  await connects()
  const [quake] = quakes(1)
  await lists(quake)
  draw()
  await page.waitFor(() => server.openResponses === 0 && openConnections(server) === 0, {
    seen: 'The component is gone, and its connection is still open.',
    expected: 'Expected it to be closed: a server sends to nobody otherwise.',
    often: 'the effect has no cleanup, or a flag keeps it from closing.',
  })
})

// 3.2 The state of the connection

check('3.2a', 'connecting is shown until the head of the response is here', async (t) => {
  const server = await scriptedServer(t)
  server.stopAnswering()
  const { watcher, connects } = await mount(t, { servers: [server] })
  await connects()
  await fence(t)
  const went = watcher.statuses.map(String)
  must(went.length > 0, {
    seen: 'What useQuakes() returns has no status.',
    expected: "Expected 'connecting', from the first render on.",
  })
  must(deepEqual(went, ['connecting']), {
    seen: `The server has not answered yet, and the status ${went.length > 1 ? 'went' : 'is'} ${joinWithAnd(went)}.`,
    expected: 'Expected connecting, from the first render on.',
    often: 'a request is taken for a connection. The event open says that there is one.',
  })
})

check('3.2b', 'open is shown before the first quake', async (t) => {
  const { connects, showsStatus } = await mount(t)
  await connects()
  await showsStatus('open', {
    seen: 'The server answered, no quake has happened yet, and the status is still connecting.',
    expected: 'Expected open.',
    often: "nobody listens to 'open', or the first message is taken for it.",
  })
})

check('3.2c', 'a connection that is lost is shown as connecting, and comes back', async (t) => {
  const [before, after, last] = quakes(3)
  const { page, server, watcher, connects, lists, showsStatus } = await mount(t)
  await connects()
  server.send('retry: 10\n\n')
  await lists(before)
  server.stopAnswering()
  server.cut()
  await page.waitFor(() => watcher.view.status !== 'open', {
    seen: 'The connection was lost, and the status is still open.',
    expected: 'Expected connecting.',
    often: "nobody listens to 'error'.",
  })
  must(watcher.view.status === 'connecting', {
    seen: `The connection was lost, and the status is ${watcher.view.status}.`,
    expected: 'Expected connecting: an EventSource is about to try again.',
    often: "'error' is taken for the end. Only readyState CLOSED is.",
  })
  t.transcript.step('status is connecting')
  await page.waitFor(() => server.requests.length > 1, comesBackByItself)
  server.resumeAnswering()
  await showsStatus('open', {
    seen: 'The connection is back, and the status is not open.',
    expected: 'Expected open.',
    often: "'open' is listened to once. It comes with each connection.",
  })
  await lists(after)
  must(watcher.has(before), {
    seen: 'The connection is back, and the quake from before is not in the list.',
    expected: 'Expected a list that stays.',
  })
  must(sourcesOf(server.url).length === 1, {
    seen: `The connection is back, and ${sourcesWere(server)} made.`,
    expected: 'Expected one that goes on: it asks again by itself.',
    often: "a new EventSource is made at 'error'.",
  })
  const [source] = sourcesOf(server.url)
  for (let n = 0; n < LOSSES; n += 1) loseAndFind(source!)
  t.transcript.step(`the connection is lost and found ${LOSSES} times`)
  await lists(last, {
    story: {
      seen: `The connection was lost ${LOSSES} times and came back each time, and ${describeQuake(last)}, which came next, is not in the list.`,
      expected: 'Expected it there: an EventSource comes back however often it is lost.',
      ...(source!.wasClosed && { often: 'your code counts the errors, and calls close().' }),
    },
  })
  await showsStatus('open', () => ({
    seen: `The connection was lost ${LOSSES} times and came back each time, and the status is ${watcher.view.status}.`,
    expected: 'Expected open: an EventSource comes back however often it is lost.',
  }))
})

/** More than any count of losses that gives up. */
const LOSSES = 1000

check('3.2d', 'a stream that is refused or over is shown as closed', async (t) => {
  const refused = await scriptedServer(t)
  refused.answer(500)
  const first = await mount(t, { servers: [refused] })
  await first.showsStatus('closed', {
    seen: 'The server answered 500, the EventSource has given up, and the status is not closed.',
    expected: 'Expected closed: nothing more will come by itself.',
    often: 'every error counts as a connection that was lost. readyState tells.',
  })
  first.page.close()
  const over = await scriptedServer(t)
  const { watcher, connects, lists, showsStatus } = await mount(t, { servers: [over] })
  await connects()
  over.send('retry: 10\n\n')
  await lists(quakes(1)[0])
  over.answer(204)
  over.end()
  await showsStatus('closed', {
    seen: 'The stream is over, who asks again gets 204, and the status is not closed.',
    expected: 'Expected closed: nothing more will come.',
    often: 'every error counts as a connection that was lost. readyState tells.',
  })
  must(watcher.view.quakes.length === 1, {
    seen: 'The stream is over, and the quake is gone from the list.',
    expected: 'Expected the list to stay.',
  })
})

check('3.2e', 'a closed stream is left alone', async (t) => {
  const server = await scriptedServer(t)
  server.answer(500)
  const { page, showsStatus } = await mount(t, { servers: [server], controlledTimers: true })
  await showsStatus('closed', notClosed)
  await page.runPendingTimers()
  t.transcript.step('time goes by')
  await fence(t)
  must(server.requests.length === 1 && sourcesOf(server.url).length === 1, {
    seen: 'The server answered 500, nobody called retry(), and the stream was opened again.',
    expected: 'Expected one request, until somebody wants another.',
    often:
      'a new EventSource is made at CLOSED, at once or by a timer. Every open page does that to a server in trouble.',
  })
})

check('3.2f', 'retry() opens a closed stream again', async (t) => {
  const server = await scriptedServer(t)
  server.answer(500)
  const { page, watcher, lists, showsStatus } = await mount(t, { servers: [server] })
  await showsStatus('closed', notClosed)
  await fence(t)
  server.answer(200)
  server.stopAnswering()
  t.transcript.step('retry() is called twice')
  const { retry } = watcher.view
  retry()
  retry()
  await page.waitFor(() => server.requests.length > 1, {
    seen: 'retry() was called, and nobody asks the server.',
    expected: 'Expected a new connection: one that is closed never opens again.',
    often: 'retry() changes a state that the effect does not depend on.',
  })
  await showsStatus('connecting', () => ({
    seen: `retry() was called, the server has not answered yet, and the status is ${watcher.view.status}.`,
    expected: 'Expected connecting: somebody pressed a button, and sees that it helps.',
    often: 'nobody is told. A new EventSource is CONNECTING, and fires no event to say so.',
  }))
  server.resumeAnswering()
  await showsStatus('open', {
    seen: 'retry() was called, the server answered, and the status is not open.',
    expected: 'Expected open.',
    often: 'nobody listens to the new EventSource.',
  })
  await lists(quakes(1)[0])
  const open = openConnections(server)
  must(open === 1, {
    seen: `retry() was called twice in one go, and ${describeConnections(open)} are open.`,
    expected: 'Expected one: the first call has opened the stream.',
    often: 'the state is looked at as it was rendered last. readyState tells what it is.',
  })
  for (let n = 2; n <= RETRIES; n += 1) {
    const { length } = sourcesOf(server.url)
    fail(sourcesOf(server.url).at(-1)!)
    await page.waitFor(() => watcher.view.status === 'closed', notClosed)
    watcher.view.retry()
    await page.waitFor(() => sourcesOf(server.url).length > length, {
      seen: `The stream was closed ${n} times, and the last call of retry() made no EventSource.`,
      expected: 'Expected a new one for each: retry() opens a closed stream, however often.',
    })
  }
  t.transcript.step(`the stream is closed, and retry() called, ${RETRIES} times`)
  await showsStatus('open', notOpen)
})

/** More than any number of tries that is thought to be enough. */
const RETRIES = 40

edgeCase('3.2g', 'retry() leaves a stream alone that is not closed', async (t) => {
  const server = await scriptedServer(t)
  server.stopAnswering()
  const { page, watcher, connects, lists, showsStatus } = await mount(t, { servers: [server] })
  await connects()
  await doesNothing('connecting')
  server.resumeAnswering()
  await showsStatus('open', notOpen)
  await doesNothing('open')
  server.send('retry: 10\n\n')
  await lists(quakes(1)[0])
  server.answer(500)
  server.cut()
  await page.waitFor(() => server.requests.length > 1, comesBackByItself)
  await showsStatus('closed', notClosed)
  const { retry } = watcher.view
  server.answer(200)
  t.transcript.step('retry() is called')
  retry()
  await showsStatus('open', notOpen)
  t.transcript.step('the same retry() is called again')
  retry()
  await fence(t)
  must(sourcesOf(server.url).length === 2 && openConnections(server) === 1, {
    seen: `A component called retry() while the stream was closed and again while it was open, and ${sourcesWere(server)} made.`,
    expected: 'Expected 2: an open stream is left alone, even by a retry() from an earlier render.',
    often: 'the status of the render is looked at. readyState tells what it is.',
  })

  async function doesNothing(state: string): Promise<void> {
    t.transcript.step('retry() is called')
    watcher.view.retry()
    await fence(t)
    must(sourcesOf(server.url).length === 1, {
      seen: `retry() was called while the stream was ${state}, and ${sourcesWere(server)} made.`,
      expected: 'Expected nothing to happen.',
      often: 'retry() does not look at the state. Someone clicks twice.',
    })
  }
})

edgeCase('3.2h', 'an event that the server calls error does not change the status', async (t) => {
  const { server, watcher, connects, lists, showsStatus } = await mount(t)
  await connects()
  await showsStatus('open', notOpen)
  for (const [n, quake] of quakes(2).entries()) {
    server.send(n === 0 ? 'event: error\ndata: overloaded\n\n' : 'event: error\ndata: {}\n\n')
    await lists(quake, {
      story: {
        seen: `An event called error came from the server, and ${describeQuake(quake)}, which came next, is not in the list.`,
        expected: 'Expected it there: that event is a message, and the connection is as it was.',
      },
    })
  }
  const { length } = sourcesOf(server.url)
  must(deepEqual(watcher.statuses, ['connecting', 'open']) && length === 1, {
    seen: `An open stream brought an event called error, the status went ${joinWithAnd(watcher.statuses)}, and ${sourcesWere(server)} made.`,
    expected: 'Expected it to stay open: that event is a message, and the connection is as it was.',
    often:
      "everything called 'error' is taken for a lost connection. With readyState OPEN, none was lost.",
  })
})

// 3.3 What comes in

check('3.3a', 'data that is not JSON is skipped and counted', async (t) => {
  await mustSkip(
    t,
    ['{"id": ', 'hello', ''],
    'it is not counted, or the view is not told that the count has changed.',
  )
})

check('3.3b', 'JSON that is no quake is skipped and counted', async (t) => {
  await mustSkip(
    t,
    ['null', '42', '"hello"', '[]', '{}', '{"id":7}', '{"id":["x"]}'],
    'whatever JSON.parse() gives is taken for a quake. Look for an id that is a string.',
  )
})

edgeCase('3.3c', 'an event called quake is a quake, too', async (t) => {
  const [special, plain] = quakes(2)
  const { page, server, watcher, connects, lists, showsCounts } = await mount(t)
  await connects()
  server.send(`event: quake\n${eventOf(special)}`)
  await page.waitFor(() => watcher.view.quakes[0]?.id === special.id, {
    seen: 'An event called quake came, and it is not in the list.',
    expected: 'Expected it there.',
    often: "it has a name of its own: onmessage and 'message' do not get it.",
  })
  t.transcript.step('the quake is in the list')
  await lists(plain)
  await showsCounts([2, 2, 0], (told) => ({
    seen: `Two quakes came, one in an event called quake, and the view has ${told}.`,
    expected: 'Expected 2, 2 and 0.',
  }))
  server.send('event: quake\ndata: hello\n\n')
  await page.waitFor(() => watcher.view.skipped === 1, {
    seen: () =>
      `The data of an event called quake is hello, and skipped is ${watcher.view.skipped}.`,
    expected: 'Expected 1: what an event is called says nothing about what it holds.',
    often: 'each name has a listener of its own, and one of them counts nothing.',
  })
  t.transcript.step('skipped is 1')
})

check('3.3d', 'a quake that comes again is listed once', async (t) => {
  const [first, second, third] = quakes(3)
  const { page, server, watcher, connects, lists } = await mount(t)
  await connects()
  await lists(first)
  await lists(second)
  server.send(eventOf(first) + eventOf(second))
  await lists(third)
  const ids = watcher.view.quakes.map(({ id }) => id)
  must(ids.length === 3 && new Set(ids).size === 3, {
    seen: `Two of three quakes came twice, and the list has ${ids.length}: ${joinWithAnd(ids)}.`,
    expected: 'Expected each once: a server repeats what it is not sure of.',
    often: 'nobody looks whether the id is in the list, or only the last one is compared.',
  })
  for (const magnitude of [0, -0.4, 9.25]) {
    for (const quake of [first, third]) {
      const list = watcher.view.quakes
      const copy = structuredClone(list)
      server.send(eventOf({ ...quake, magnitude }))
      const listed = (): Quake | undefined => watcher.view.quakes.find(({ id }) => id === quake.id)
      await page.waitFor(() => listed()?.magnitude === magnitude, {
        seen: () =>
          `A quake came again with the magnitude ${magnitude}, and the list has it with ${listed()?.magnitude}.`,
        expected: `Expected ${magnitude}: the newest data wins, because quakes are corrected.`,
        often: 'a quake whose id is in the list is ignored.',
      })
      must(deepEqual(list, copy), {
        seen: 'A quake came again with another magnitude, and the quakes array of an earlier render has changed.',
        expected: 'Expected that array, and each quake in it, to stay as it was.',
        often: 'the new data is written into the array or into the object that the list had.',
      })
    }
  }
  must(watcher.view.quakes.length === 3, {
    seen: `Quakes came again with another magnitude, and the list has ${watcher.view.quakes.length} of three.`,
    expected: 'Expected each once.',
  })
  const bare: Partial<Quake> = { ...first, magnitude: 3.5 }
  delete bare.status
  server.send(`data: ${JSON.stringify(bare)}\n\n`)
  const listedNow = (): Quake | undefined => watcher.view.quakes.find(({ id }) => id === first.id)
  await page.waitFor(() => listedNow()?.magnitude === 3.5, {
    seen: 'A quake came again with another magnitude and without its status, and the list has the data from before.',
    expected: 'Expected the data that came last.',
  })
  must(deepEqual(listedNow(), bare), {
    seen: `A quake came again as ${excerptJson(bare)}, and the list has ${excerptJson(listedNow())}.`,
    expected: 'Expected what came last, and nothing of what came before.',
    often: 'the new data is added to the data that the list had.',
  })
})

check('3.3e', 'the list holds the newest hundred, newest first', async (t) => {
  const { page, server, watcher, connects } = await mount(t)
  await connects()
  const happened = quakes(120)
  server.send(happened.map(eventOf).join(''), '120 quakes at once')
  await page.waitFor(() => watcher.has(happened.at(-1)!), {
    seen: '120 quakes came, and the last of them is not in the list.',
    expected: 'Expected the newest hundred.',
    often: 'quakes are added, or cut off, at the wrong end.',
  })
  t.transcript.step(`the list has ${watcher.view.quakes.length} quakes`)
  const ids = watcher.view.quakes.map(({ id }) => id)
  must(ids.length === 100, {
    seen: `120 quakes came, and the list has ${ids.length}.`,
    expected: 'Expected 100: a page that is open for a week must not hold the week.',
    ...(ids.length > 100 && { often: 'nothing is ever taken out of the list.' }),
  })
  const wanted = happened.slice(-100).toReversed()
  must(
    deepEqual(
      ids,
      wanted.map(({ id }) => id),
    ),
    {
      seen: `The list begins with ${joinWithAnd(ids.slice(0, 2))} and ends with ${ids.at(-1)}.`,
      expected: `Expected ${joinWithAnd(wanted.slice(0, 2).map(({ id }) => id))}, …, ${wanted.at(-1)!.id}: newest first.`,
      often: 'quakes are added, or cut off, at the wrong end.',
    },
  )
  await page.waitFor(() => watcher.view.received === 120, {
    seen: () => `120 quakes came, and received is ${watcher.view.received}.`,
    expected: 'Expected 120: the list forgets, the count does not.',
    often: 'received is the length of the list.',
  })
  // Whether it moves or stays, the last one to come is the first of the list.
  const newest = { ...happened.at(-1)!, magnitude: 9.75 }
  server.send(eventOf(newest), 'the last of them again, corrected')
  await page.waitFor(() => watcher.view.quakes[0]?.magnitude === 9.75, {
    seen: 'The list is full, its first quake came again with another magnitude, and the list does not have that.',
    expected: 'Expected the data that came last.',
  })
  isList(wanted, 'its first quake came again', 'one is taken out, and none was added.')
  // Whether one that has left the list is known is up to the work.
  const [returning] = happened
  const next = { ...newest, id: 'next' }
  server.send(eventOf(returning!) + eventOf(next), 'the first of the 120 again, and a new one')
  await page.waitFor(() => watcher.has(next), notListed(next))
  const isBack = watcher.has(returning!)
  isList(
    [next, ...(isBack ? [returning!] : []), ...wanted].slice(0, 100),
    'a quake that had left it came again, and then a new one',
    'too many are taken out, or the one that came again gets a place from before.',
  )

  function isList(list: Quake[], what: string, often: string): void {
    const now = watcher.view.quakes.map(({ id }) => id)
    const missing = list.filter(({ id }) => !now.includes(id)).length
    must(
      deepEqual(
        now,
        list.map(({ id }) => id),
      ),
      {
        seen: `The list was full, ${what}, and the list has ${now.length} quakes, ${missing ? `${missing} of the newest hundred missing` : 'in another order'}.`,
        expected: 'Expected the hundred that came last, newest first.',
        often,
      },
    )
  }
})

edgeCase('3.3f', 'an object with any string as its id is a quake', async (t) => {
  const { page, server, watcher, connects } = await mount(t)
  await connects()
  const ids = [...AWKWARD_IDS, ...quakes(1).map(({ id }) => id)]
  server.send(
    ids.map((id) => `data: ${JSON.stringify({ id })}\n\n`).join(''),
    `${ids.length} quakes that have an id and nothing else`,
  )
  await page.waitFor(() => watcher.view.received + watcher.view.skipped >= ids.length, {
    seen: () =>
      `${ids.length} quakes came, and the view has ${watcher.view.received} received and ${watcher.view.skipped} skipped.`,
    expected: `Expected ${ids.length} received: each is an object whose id is a string.`,
  })
  must(watcher.view.received === ids.length, {
    seen: `${ids.length} quakes came that have an id and nothing else, and ${watcher.view.skipped} of them were skipped.`,
    expected: 'Expected none to be: each is an object whose id is a string.',
    often:
      watcher.view.skipped === 1
        ? 'an empty string is taken for none.'
        : 'your code looks for more than the id. What else a quake holds is up to the server.',
  })
  const listed = watcher.view.quakes.map(({ id }) => id)
  await page.waitFor(() => watcher.view.quakes.length === ids.length, {
    seen: () => {
      const now = new Set(watcher.view.quakes.map(({ id }) => id))
      const missing = ids.filter((id) => !now.has(id)).map((id) => excerptJson(id))
      return `${ids.length} quakes came, and the list has ${watcher.view.quakes.length}. ${missing.length === 1 ? 'This id is' : 'These ids are'} missing: ${missing.join(', ')}.`
    },
    expected:
      'Expected each quake: any string is an id, and two ids are the same only if each character is.',
    ...(!listed.includes('__proto__') && {
      often: 'the ids are the names of a plain object, which has names of its own. A Map has none.',
    }),
  })
  const now = watcher.view.quakes.map(({ id }) => id)
  must(deepEqual(now, ids.toReversed()), {
    seen: `${ids.length} quakes came, and the list has them in this order: ${now.map((id) => excerptJson(id)).join(', ')}.`,
    expected: 'Expected the last one to come first.',
    often:
      'the ids are the names of a plain object, and names that are whole numbers come first there. A Map keeps the order.',
  })
})

/** Each is another one. */
const AWKWARD_IDS = [
  'us7',
  '__proto__',
  'constructor',
  '10',
  '9',
  '',
  'US7',
  'us7 ',
  'u\u017f7',
  '\u{1f30b}',
  'a\u2028b',
  '<b>&amp;',
  'null',
]

// 3.4 What changes

check('3.4a', 'another URL is another stream', async (t) => {
  const [first, second] = [await scriptedServer(t), await scriptedServer(t)]
  const [before, after] = quakes(2)
  const { page, watcher, draw, connects, lists, showsStatus } = await mount(t, {
    servers: [first, second],
  })
  await connects()
  await lists(before)
  draw({ url: second.url })
  await page.waitFor(() => second.requests.length > 0, {
    seen: 'The component was given another URL, and nobody asks for it.',
    expected: 'Expected a connection to the new one.',
    often: 'the URL is missing in the list behind the effect.',
  })
  await page.waitFor(() => openConnections(first) === 0 && first.openResponses === 0, {
    seen: 'The component was given another URL, and the old connection is still open.',
    expected: 'Expected it to be closed.',
    often: 'the effect runs again and has no cleanup, or that closes the wrong one.',
  })
  await lists(after, { from: second })
  fail(sourcesOf(second.url).at(-1)!)
  await showsStatus('closed', {
    seen: 'The stream of the new URL has given up, and the status is not closed.',
    expected: 'Expected closed.',
  })
  const { length } = sourcesOf(second.url)
  t.transcript.step('retry() is called')
  watcher.view.retry()
  await page.waitFor(() => sourcesOf(second.url).length > length, {
    seen: 'The component was given another URL, that stream was closed, retry() was called, and the stream was not opened.',
    expected: 'Expected a new connection to the new URL.',
    often: 'retry() keeps the URL of the first render.',
  })
})

check('3.4b', 'with another URL the view begins anew', async (t) => {
  const [first, second] = [await scriptedServer(t), await scriptedServer(t)]
  const [before, after, again] = quakes(3)
  const { page, watcher, draw, connects, lists, showsCounts } = await mount(t, {
    servers: [first, second],
  })
  await connects()
  first.send('data: hello\n\n')
  await lists(before)
  second.stopAnswering()
  draw({ url: second.url })
  await connects(second)
  await page.waitFor(() => watcher.view.status === 'connecting', {
    seen: () =>
      `The component was given another URL, whose server has not answered, and the status is ${watcher.view.status}.`,
    expected: 'Expected connecting.',
    often: 'the status of the old stream stays until the new one says something.',
  })
  t.transcript.step('status is connecting')
  second.resumeAnswering()
  await lists(after, { from: second })
  await isAnew('the new stream writes into the list of the old one.')
  await page.waitFor(() => openConnections(first) === 0 && first.openResponses === 0, {
    seen: 'The component was given another URL, and the old connection is still open.',
    expected: 'Expected it to be closed.',
  })
  const asked = first.requests.length
  const { retry } = watcher.view
  draw({ url: first.url })
  await page.waitFor(() => first.requests.length > asked, {
    seen: 'The component was given its first URL again, and nobody asks for it.',
    expected: 'Expected a new connection: the one from before is closed.',
  })
  await lists(again)
  await isAnew('what was shown of a URL is kept when nobody follows it any more.')
  t.transcript.step('the retry() of a render with the other URL is called')
  retry()
  await fence(t)
  must(openConnections(second) === 0, {
    seen: 'The component was given another URL, the retry() of an earlier render was called, and the old URL was asked again.',
    expected: 'Expected no connection to a URL that no component follows.',
    often: 'retry() keeps the stream of its render, and opens it whenever that is closed.',
  })

  async function isAnew(often: string): Promise<void> {
    await showsCounts([1, 1, 0], (told) => ({
      seen: `The new stream brought one quake, and the view has ${told}.`,
      expected: 'Expected 1, 1 and 0: what came before the URL changed belongs to another stream.',
      often,
    }))
    t.transcript.step('the view has this one, and no other')
  }
})

edgeCase('3.4c', 'what the old stream brought late is dropped', async (t) => {
  const [first, second] = [await scriptedServer(t), await scriptedServer(t)]
  const [before, late, after] = quakes(3)
  const { watcher, draw, connects, lists, showsCounts } = await mount(t, {
    servers: [first, second],
  })
  await connects()
  await lists(before)
  const source = sourcesOf(first.url).at(-1)!
  const handedOn = new Promise<void>((resolve) => (source.onDispatched = resolve))
  first.send(eventOf(late))
  await t.withTimeout(handedOn, notListed(late))
  // No timer, no frame and no render has had a turn since.
  draw({ url: second.url })
  await connects(second)
  // A fence, too: what waits for a timer or a frame of the old stream is due before.
  await lists(after, { from: second })
  await showsCounts([1, 1, 0], (told) => ({
    seen: `The URL changed just after an event, the new stream brought one quake, and the view has ${told}.`,
    expected: 'Expected 1, 1 and 0: the rest belongs to the old URL.',
    often: watcher.has(before)
      ? 'the view does not begin anew with another URL.'
      : 'what is collected for the next render is kept when the stream changes.',
  }))
})

check('3.4d', 'another callback does not reconnect', async (t) => {
  const [before, after] = quakes(2)
  const { server, draw, connects, lists } = await mount(t)
  await connects()
  await lists(before)
  for (let n = 0; n < 3; n += 1) draw({ onQuake: () => {} })
  isOne()
  await lists(after)
  isOne()

  function isOne(): void {
    must(sourcesOf(server.url).length === 1, {
      seen: `The component was rendered with another onQuake three times, and ${sourcesWere(server)} made.`,
      expected: 'Expected one: a function written in place is another one at each render.',
      often: 'onQuake is in the list behind the effect.',
    })
  }
})

check('3.4e', 'the callback of the last render gets each quake once', async (t) => {
  const [before, last, ...after] = quakes(5)
  let calledOfFirst = 0
  const { page, server, draw, drawAll, connects, lists } = await mount(t, {
    strict: true,
    onQuake: () => (calledOfFirst += 1),
  })
  await connects()
  await lists(before)
  const got: string[] = []
  const made = sourcesOf(server.url).length
  draw({ onQuake: (quake?: Quake) => void got.push(quake?.id ?? 'undefined') })
  server.send('data: hello\n\n')
  for (const quake of after) {
    await lists(quake, {
      story: () =>
        sourcesOf(server.url).length === made ? notListed(quake) : lostMeanwhile(quake),
    })
  }
  await page.waitFor(
    () => got.length >= after.length,
    () => ({
      seen: `The component was rendered with another onQuake, three quakes came, and it was called ${howOften(got.length)}.`,
      expected: 'Expected it to be called with each.',
      ...(calledOfFirst > 1
        ? { often: 'the effect keeps the onQuake of the first render.' }
        : calledOfFirst === 0 && got.length === 0 && { often: 'onQuake is never called.' }),
    }),
  )
  const wanted = after.map(({ id }) => id)
  must(deepEqual(got, wanted), {
    seen: `The component was rendered with another onQuake, three quakes came, and it was called with ${joinWithAnd(got) || 'none'}.`,
    expected: `Expected ${joinWithAnd(wanted)}, each once.`,
    often: got.includes('undefined')
      ? 'what is skipped is told, too.'
      : 'onQuake is called in a function that React calls twice, such as an updater.',
  })
  drawAll([{ url: server.url }])
  t.transcript.step('the component gets no onQuake')
  await lists(last)
  must(got.length === wanted.length, {
    seen: 'The component was rendered without an onQuake, a quake came, and the one of the render before was called.',
    expected: 'Expected nobody to be told any more.',
    often: 'only a function is kept. That there is none has to be kept, too.',
  })
  drawAll([])
  t.transcript.step('the component goes')
  await page.waitFor(() => openConnections(server) === 0, {
    seen: 'The component is gone, and its connection is still open.',
    expected: 'Expected it to be closed.',
  })
  const asked = server.requests.length
  drawAll([{ url: server.url }])
  t.transcript.step('a component comes without an onQuake')
  await page.waitFor(() => server.requests.length > asked, {
    seen: 'The component is gone, another one came, and nobody asks the server.',
    expected: 'Expected a new connection.',
  })
  const told: string[] = []
  drawAll([{ url: server.url, onQuake: (quake) => void told.push(quake.id) }])
  t.transcript.step('the component gets an onQuake')
  await lists(before)
  await page.waitFor(() => told.length > 0, {
    seen: 'The first render of a component had no onQuake, a later one had, a quake came, and it was not called.',
    expected: 'Expected the onQuake of the last render to be called.',
    often: 'your code looks only once whether there is an onQuake.',
  })

  function lostMeanwhile(quake: Quake): Story {
    return {
      seen: `The component was rendered with another onQuake, connected anew, and ${describeQuake(quake)}, which came just then, is not in the list.`,
      expected: 'Expected the connection to stay.',
      often: 'onQuake is in the list behind the effect.',
    }
  }
})

// 3.5 A burst

check('3.5a', '10,000 events cause at most 1,000 renders', async (t) => {
  const mounted = await mount(t)
  const { watcher, showsStatus } = mounted
  await showsStatus('open', notOpen)
  const before = watcher.renders
  await burst(mounted, () => {
    must(watcher.renders - before <= BURST / 10, {
      seen: `${BURST} quakes came at once, and the component was rendered more than ${BURST / 10} times.`,
      expected: 'Expected at most one render for ten events: most of them are never seen.',
      often:
        'a store tells React of each event, and React renders at once, as flushSync() does. Collect, and tell it once a frame.',
    })
  })
  t.transcript.step('the component was rendered a few times')
})

check('3.5b', 'no event of a burst is lost', async (t) => {
  const server = await scriptedServer(t)
  const got: string[] = []
  const onQuake = ({ id }: Quake): void => void got.push(id)
  const mounted = await mount(t, { servers: [server], onQuake })
  const { page, watcher, showsStatus } = mounted
  await showsStatus('open', notOpen)
  const happened = await burst(mounted)
  await page.waitFor(() => watcher.view.received >= BURST, {
    seen: () => `${BURST} quakes came at once, and received says less.`,
    expected: 'Expected every one to be counted.',
    often: 'a render takes what was collected, and what comes before the next one is forgotten.',
  })
  const ids = happened.map(({ id }) => id)
  must(deepEqual(got, ids), {
    seen: `${BURST} quakes came at once, and onQuake() was called ${got.length > BURST ? 'more often' : got.length < BURST ? 'less often' : 'in another order'}.`,
    expected: 'Expected each quake once, in order.',
    often: 'only what is rendered is told.',
  })
  must(
    deepEqual(
      watcher.view.quakes.map(({ id }) => id),
      ids.slice(-100).toReversed(),
    ),
    {
      seen: `${BURST} quakes came at once, and the list is not the last hundred, newest first.`,
      expected: 'Expected them in order.',
      often: 'what was collected is put into the list the wrong way round.',
    },
  )
})

check('3.5c', 'what has come is shown while more comes', async (t) => {
  // It sends too much to tell of each.
  const server = await scriptedServer({ ...t, transcript: SILENT })
  const { page, watcher, showsStatus } = await mount(t, { servers: [server] })
  await showsStatus('open', notOpen)
  t.transcript.step('quakes come without a pause')
  const source = sourcesOf(server.url).at(-1)!
  const all = quakes(10)
  const told = source.dispatched
  let sent = 0
  const keepSending = (): void => {
    if (source.dispatched - told < sent) return
    server.send(eventOf({ ...all[sent % all.length]!, id: `q${sent}` }))
    sent += 1
  }
  // The first one may be shown at once, and the others never. How many come before it stands still is up to
  // the machine, and not told.
  for (let times = 0; times < 2; times += 1) {
    const { received } = watcher.view
    await page.waitFor(
      () => {
        keepSending()
        return watcher.view.received > received
      },
      {
        seen: 'Quakes come without a pause, and the list stands still.',
        expected: 'Expected to see them while more come: after a big quake there is no pause.',
        often: 'a timer starts over with each event. One that runs is to be left running.',
      },
    )
  }
  t.transcript.step('the list grows, and grows again')
})

// 3.6 One connection for many

check('3.6a', 'components with the same URL share one connection', async (t) => {
  const server = await scriptedServer(t)
  const got: string[] = []
  const { page, watchers, drawAll, connects } = await mount(t, { servers: [server], strict: true })
  t.transcript.step('two more components are shown')
  const ofFirst = (): void => void got.push('the first')
  const ofOthers = (): void => void got.push('one of the others')
  drawAll([ofFirst, ofOthers, ofOthers].map((onQuake) => ({ url: server.url, onQuake })))
  await connects()
  const [quake] = quakes(1)
  server.send(eventOf(quake))
  await page.waitFor(
    () => watchers.every((each) => each.has(quake)),
    () => ({
      seen: `A quake came, and ${watchers.filter((each) => !each.has(quake)).length} of 3 components do not show it.`,
      expected: 'Expected all of them to.',
      ...(watchers[0]!.has(quake) && {
        often: 'only the component that opened the connection is told.',
      }),
    }),
  )
  t.transcript.step('every component shows the quake')
  const open = openConnections(server)
  must(open === 1, {
    seen: `Three components follow the same URL, and ${describeConnections(open)} are open.`,
    expected: 'Expected one: over HTTP/1.1 a browser has six for a server, for all tabs together.',
    often: 'each component makes its own EventSource. One outside of React can serve them all.',
  })
  const countOf = (who: string): number => got.filter((one) => one === who).length
  const called = (): Story => ({
    seen: `A quake came to three components, two of them with the same onQuake. That of the first was called ${howOften(countOf('the first'))}, that of the others ${howOften(countOf('one of the others'))}.`,
    expected: 'Expected once and twice: once for each component.',
    often:
      got.length > 3
        ? 'a component is told again for each one that is there.'
        : 'the shared connection knows one callback, or each function once.',
  })
  await page.waitFor(() => got.length >= 3, called)
  must(countOf('the first') === 1 && got.length === 3, called())
  const crowd = 50
  drawAll(Array.from({ length: crowd }, () => ({ url: server.url })))
  t.transcript.step(`${crowd} components are shown`)
  const [, next] = quakes(2)
  server.send(eventOf(next))
  await page.waitFor(() => watchers.every((each) => each.has(next)), {
    seen: () =>
      `A quake came, and ${watchers.filter((each) => !each.has(next)).length} of ${crowd} components do not show it.`,
    expected: 'Expected all of them to.',
  })
})

check('3.6b', 'a component that comes later knows how the stream is', async (t) => {
  const { page, server, watchers, drawAll, connects, lists, showsStatus } = await mount(t)
  await connects()
  await showsStatus('open', notOpen)
  const [older, newer] = quakes(2)
  server.send('data: hello\n\n')
  for (const quake of [older, newer]) await lists(quake)
  // Whoever asks it now learns nothing.
  server.stopAnswering()
  const told: string[] = []
  const onQuake = ({ id }: Quake): void => void told.push(id)
  drawAll([{ url: server.url }, { url: server.url, onQuake }])
  t.transcript.step('a second component comes')
  await page.waitFor(() => watchers[1]?.view.status === 'open', {
    seen: () => `A component came to a stream that is open, and shows ${watchers[1]?.view.status}.`,
    expected: 'Expected open, without asking the server.',
    often: "it waits for the event 'open', and that has been.",
  })
  t.transcript.step('it shows open')
  await sameView(page, watchers)
  must(told.length === 0, {
    seen: `A component came to a stream that had brought two quakes, and its onQuake was called ${howOften(told.length)}.`,
    expected: 'Expected it to be called only with quakes that come from now on.',
    often: 'your code calls onQuake with each quake of the list.',
  })
  page.close()
  const refused = await scriptedServer(t)
  refused.answer(500)
  const other = await mount(t, { servers: [refused] })
  await other.showsStatus('closed', notClosed)
  other.drawAll([{ url: refused.url }, { url: refused.url }])
  t.transcript.step('a second component comes')
  const second = (): Watcher | undefined => other.watchers[1]
  await other.page.waitFor(() => second()?.view.status === 'closed', {
    seen: () => `A component came to a stream that is closed, and shows ${second()?.view.status}.`,
    expected: 'Expected closed, without asking the server.',
    often: "it waits for the event 'error', and that has been.",
  })
  must(sourcesOf(refused.url).length === 1, {
    seen: `A component came to a stream that is closed, and ${sourcesWere(refused)} made.`,
    expected: 'Expected one: a closed stream is left alone until somebody calls retry().',
    often: 'who comes opens a stream that is closed.',
  })

  async function sameView(shown: Page, [first, late]: readonly Watcher[]): Promise<void> {
    const tell = ({ view }: Watcher): string => {
      const { quakes: list, received, skipped } = view
      return `${list.length} in the list, ${received} received, ${skipped} skipped`
    }
    const facts = ({ view }: Watcher): unknown => {
      const { status, quakes: list, received, skipped } = view
      return { status, list, received, skipped }
    }
    await shown.waitFor(() => deepEqual(facts(late!), facts(first!)), {
      seen: () =>
        `A component came to a stream with ${tell(first!)}, and its view has ${tell(late!)}.`,
      expected: 'Expected the same view in both: they share the stream.',
      often: 'each component keeps a list and counts of its own.',
    })
    t.transcript.step('it shows the same list and counts')
  }
})

check('3.6c', 'when one component goes, the others go on', async (t) => {
  const [before, after, last] = quakes(3)
  const { page, server, watchers, drawAll, connects, lists } = await mount(t)
  const got: Quake[] = []
  const onQuake = (quake: Quake): void => void got.push(quake)
  drawAll([{ url: server.url, onQuake }, { url: server.url }, { url: server.url }])
  await connects()
  const [, second] = watchers
  await lists(before, { to: second })
  drawAll([undefined, { url: server.url }, { url: server.url }])
  t.transcript.step('the first component goes')
  const alone: Story = {
    seen: 'The first of three components went, and a quake that came then is not listed by the others.',
    expected: 'Expected the connection to stay, for as long as somebody needs it.',
    often: 'the connection belongs to the component that opened it.',
  }
  await lists(after, { to: second, story: alone })
  await page.waitFor(() => watchers[2]!.has(after), alone)
  must(sourcesOf(server.url).length === 1, {
    seen: `The first of three components went, and ${sourcesWere(server)} made.`,
    expected: 'Expected the connection to stay as it is: what happens meanwhile is lost.',
    often: 'each component makes its own, or the first to go closes the one of all.',
  })
  must(!got.some(({ id }) => id === after.id), {
    seen: 'The first of three components went, a quake came, and its onQuake was called.',
    expected: 'Expected only those of the components that are there.',
    often: 'callbacks are added when components come, and not taken away when they go.',
  })
  const told: string[] = []
  const stays = { url: server.url, onQuake: ({ id }: Quake) => void told.push(id) }
  const goes = { url: server.url, onQuake: () => drawAll([undefined, undefined, stays]) }
  drawAll([undefined, goes, stays])
  t.transcript.step('the next quake makes the second component go')
  const [, , third] = watchers
  const fromInside: Story = {
    seen: 'The onQuake of one component made that component go, and the onQuake of another one was not called with this quake.',
    expected: 'Expected each component that stays to get the quake.',
    often: 'the loop over the callbacks skips one when the one before is taken out of the array.',
  }
  await lists(last, { to: third! })
  await page.waitFor(() => told.length > 0, fromInside)
  must(deepEqual(told, [last.id]), {
    seen: `The onQuake of one component made that component go, and the onQuake of another one was called ${howOften(told.length)}.`,
    expected: 'Expected once.',
  })
})

check('3.6d', 'the last component closes the connection, and the next opens one', async (t) => {
  const [before, after, late] = quakes(3)
  const { page, server, watcher, drawAll, connects, lists, showsCounts } = await mount(t, {
    strict: true,
  })
  drawAll([{ url: server.url }, { url: server.url }])
  await connects()
  await lists(before)
  const { retry } = watcher.view
  // No timer, no frame and no render has had a turn since.
  deliver(sourcesOf(server.url).at(-1)!, JSON.stringify(late))
  t.transcript.step('another quake comes, and is not shown yet')
  drawAll([undefined, { url: server.url }])
  drawAll([])
  t.transcript.step('both components go')
  await page.waitFor(() => server.openResponses === 0 && openConnections(server) === 0, {
    seen: 'Both components are gone, and the connection is still open.',
    expected: 'Expected the last one to close it.',
    often: 'components are counted when they come, and not when they go.',
  })
  retry()
  t.transcript.step('the retry() of one of them is called')
  await fence(t)
  must(openConnections(server) === 0, {
    seen: 'Both components are gone, the retry() of one of them was called, and it opened a connection for nobody.',
    expected: 'Expected retry() to do nothing once the component is gone.',
    often: 'retry() keeps the stream of its render, and opens it whenever that is closed.',
  })
  const asked = server.requests.length
  drawAll([{ url: server.url }])
  t.transcript.step('a component comes')
  await page.waitFor(() => server.requests.length > asked, {
    seen: 'Everybody had gone, a component came, and nobody asks the server.',
    expected: 'Expected a new connection.',
    often: 'the closed EventSource is kept for the URL.',
  })
  await lists(after)
  await showsCounts([1, 1, 0], (told) => ({
    seen: `A component came after everybody had gone, one quake came, and the view has ${told}.`,
    expected: 'Expected 1, 1 and 0: it is another connection, and its view begins anew.',
  }))
})

edgeCase('3.6e', 'another URL has a connection of its own', async (t) => {
  const [here, there] = [await scriptedServer(t), await scriptedServer(t)]
  const [first, second] = quakes(2)
  const filtered = { ...here, url: `${here.url}?min=5` }
  const { page, watchers, drawAll, connects, lists } = await mount(t, {
    servers: [here, there, filtered],
  })
  drawAll([{ url: here.url }, { url: there.url }, { url: filtered.url }])
  await connects()
  await page.waitFor(() => there.requests.length > 0, {
    seen: 'Two components follow two URLs, and one server is asked by nobody.',
    expected: 'Expected a connection to each.',
    often: 'one EventSource serves all components, whatever they ask for.',
  })
  await page.waitFor(() => here.requests.length > 1, {
    seen: 'Two components follow /events and /events?min=5 of one server, and one of the two is asked for by nobody.',
    expected: 'Expected a connection for each: what a query asks for is another stream.',
    often: 'only a part of the URL is compared.',
  })
  await lists(first, { to: watchers[0]! })
  await lists(second, { from: there, to: watchers[1]! })
  const lengths = watchers.map(({ view }) => view.quakes.length)
  must(deepEqual(lengths.slice(0, 2), [1, 1]), {
    seen: `Each of two streams brought one quake, and the lists have ${lengths.slice(0, 2).join(' and ')}.`,
    expected: 'Expected one in each.',
    often: 'one list serves all streams.',
  })
})

edgeCase('3.6f', 'an onQuake that throws keeps nothing from the others', async (t) => {
  const server = await scriptedServer(t)
  const got: string[] = []
  const error = forgiveUncaught(new Error('onQuake threw this'))
  const throws = (): never => {
    throw error
  }
  const tells = ({ id }: Quake): void => void got.push(id)
  const { watchers, drawAll, connects, lists, showsCounts } = await mount(t, { servers: [server] })
  drawAll([throws, tells, throws, tells].map((onQuake) => ({ url: server.url, onQuake })))
  t.transcript.step('the onQuake of two of four components throws')
  await connects()
  const happened = quakes(3)
  for (const quake of happened) {
    const story: Story = {
      seen: `The onQuake of one component threw, and ${describeQuake(quake)} is not in the list of another one.`,
      expected: 'Expected every list to have it: the error belongs to one component.',
      often: 'what onQuake throws ends the listener, and what stands after it is not done.',
    }
    await lists(quake, { to: watchers[3]!, story })
  }
  const wanted = happened.flatMap(({ id }) => [id, id])
  must(deepEqual(got, wanted), {
    seen: `The onQuake of two of four components threw, three quakes came, and those of the two others were called ${howOften(got.length)}.`,
    expected: 'Expected 6 times, twice for each quake.',
    often: 'one loop calls them all, and what one of them throws ends it.',
  })
  await showsCounts([3, 3, 0], (told) => ({
    seen: `An onQuake threw with each of three quakes, and the view has ${told}.`,
    expected: 'Expected 3, 3 and 0: each has come.',
  }))
})

// 3.7 The component

check('3.7a', 'the state of the connection is shown as a word', async (t) => {
  const server = await scriptedServer(t)
  server.stopAnswering()
  const { page, says, status, connects } = await showLiveQuakes(t, server)
  await connects()
  await comesTo('connecting')
  server.resumeAnswering()
  await comesTo('open')

  async function comesTo(word: string): Promise<void> {
    await page.waitFor(() => says(word), {
      seen: () =>
        page.body.querySelector(STATUS)
          ? `The stream is ${word}, and the element with role="status" says "${status()}".`
          : 'There is no element with role="status".',
      expected: () =>
        `Expected one that says ${word}, and neither of the other words. Screen readers tell what changes there.`,
    })
    t.transcript.step(`the page says ${word}`)
  }
})

check('3.7b', 'each quake is an item with its magnitude and place, newest first', async (t) => {
  const server = await scriptedServer(t)
  const { page, items, itemOf, lists, says, connects } = await showLiveQuakes(t, server)
  await connects()
  server.send('retry: 10\n\n')
  const happened = quakesApart(3).map((quake, n) => ({
    ...quake,
    magnitude: [0, 6, -0.6][n]!,
    place: [quake.place, '<b>Tom & Jerry</b> &amp; 100 %', 'O\'Higgins\u2028"Chile" \u{1f30b}'][n]!,
  }))
  for (const quake of happened) await lists(quake)
  const texts = items().map(textOf)
  must(
    happened.toReversed().every((quake, n) => identifies(texts[n] ?? '', quake)),
    {
      seen: `Three quakes came, and the items are ${joinWithAnd(texts)}.`,
      expected: `Expected ${joinWithAnd(happened.toReversed().map(describeQuake))}.`,
      often: 'the order of the list is turned once more.',
    },
  )
  const corrected = { ...happened[1]!, magnitude: 6.25 }
  server.send(eventOf(corrected))
  await page.waitFor(() => itemOf(corrected) !== undefined, {
    seen: () =>
      `A quake came again with the magnitude 6.25, and the items are ${joinWithAnd(items().map(textOf))}.`,
    expected: 'Expected its item to say 6.25: the newest data wins.',
    often: 'an item is rendered only once, such as one in memo() that compares nothing but the id.',
  })
  happened[1] = corrected
  server.stopAnswering()
  server.cut()
  await page.waitFor(() => says('connecting'), {
    seen: 'The connection was lost, and no element with role="status" says connecting.',
    expected: 'Expected it to: an EventSource is about to try again.',
  })
  t.transcript.step('the page says connecting')
  const { length } = happened.filter((quake) => itemOf(quake))
  must(length === 3, {
    seen: `The stream is connecting again, and the page has ${length} of three quakes.`,
    expected: 'Expected all of them: what somebody reads does not go with the connection.',
    often: 'the list is shown only while the stream is open.',
  })
})

check('3.7c', 'an item stays the same element when others come', async (t) => {
  const server = await scriptedServer(t)
  const { page, items, itemOf, lists, connects } = await showLiveQuakes(t, server)
  await connects()
  const [first, ...others] = quakesApart(3)
  // As long as the list is not full, a number that counts from its end stays with its quake, too.
  const many = quakes(99).map((quake, n) => ({
    ...quake,
    id: `elsewhere${n}`,
    place: 'elsewhere',
  }))
  server.send(many.map(eventOf).join(''), '99 quakes at once')
  const before = await lists(first)
  for (const quake of others) await lists(quake)
  must(before === itemOf(first), {
    seen: `Two more quakes came, and ${describeQuake(first)} is another element of the page.`,
    expected: 'Expected the same: what is selected, focused or animated there stays with it.',
    often: 'the key is made of the index, which changes with each quake that comes on top.',
  })
  const corrected = await lists({ ...first, magnitude: 8.75 })
  must(before === corrected, {
    seen: `${describeQuake(first)} came again with the magnitude 8.75, and its item is another element of the page.`,
    expected: 'Expected the same: what is selected, focused or animated there stays with it.',
    often: 'the key changes with the data. The id alone is the key.',
  })
  // Many at the same place, of the same strength, one of them twice.
  const [twin] = many
  const twins = many.map((quake, n) => ({ ...twin!, time: quake.time, id: `twin${n}` }))
  const [last] = quakesApart(4).slice(-1)
  server.send(
    [...twins, twins[0]!].map(eventOf).join(''),
    '99 quakes at one place, one of them twice',
  )
  await lists(last!)
  const length = (): number => items().filter((item) => textOf(item).includes('elsewhere')).length
  await page.waitFor(() => length() === 99, {
    seen: () => `The list has 99 quakes at one place, and the page has ${length()} items with it.`,
    expected: 'Expected 99: one item for each quake of the list.',
    often: 'the key is not the id. React mixes up items with the same key.',
  })
  t.transcript.step('the page has an item for each')
})

edgeCase('3.7d', 'what was skipped is counted on the page', async (t) => {
  const server = await scriptedServer(t)
  const { page, lists, connects } = await showLiveQuakes(t, server)
  await connects()
  server.send('data: hello\n\ndata: {\n\n')
  await page.waitFor(() => /\b2 skipped\b/i.test(textOf(page.body)), {
    seen: () => `Two events were no quakes, and the page says "${textOf(page.body)}".`,
    expected: 'Expected "2 skipped" in it: what is left out silently is missed by nobody.',
  })
  await lists(quakes(1)[0]!)
})

check('3.7e', 'a closed stream has a button to retry, and no other has', async (t) => {
  const server = await scriptedServer(t)
  const [before, after] = quakesApart(2)
  server.stopAnswering()
  const { page, itemOf, lists, connects } = await showLiveQuakes(t, server)
  const button = (): HTMLButtonElement | undefined =>
    [...page.body.querySelectorAll('button')].find((each) => /retry/i.test(textOf(each)))
  await connects()
  hasNone('connecting')
  server.resumeAnswering()
  server.send('retry: 10\n\ndata: hello\n\n')
  await lists(before)
  hasNone('open')
  server.answer(500)
  server.cut()
  await page.waitFor(() => server.requests.length > 1, comesBackByItself)
  await page.waitFor(() => button() !== undefined || server.requests.length > 2, {
    seen: () => `The stream is closed, and there is no button to retry: "${textOf(page.body)}".`,
    expected: 'Expected one: reloading the page is not what people should have to do.',
  })
  must(server.requests.length === 2, {
    seen: 'The stream is closed, nobody pressed Retry, and the server was asked again.',
    expected: 'Expected a button that waits for somebody.',
    often:
      'onClick={retry()} calls it while React renders, or something else than the button calls retry().',
  })
  await page.waitFor(
    () => itemOf(before) !== undefined && /\b1 skipped\b/i.test(textOf(page.body)),
    {
      seen: () =>
        `One quake came and one event that was none, the stream is closed, and the page says "${textOf(page.body)}".`,
      expected: 'Expected the quake and "1 skipped" in it, whatever the status is.',
    },
  )
  server.answer(200)
  t.transcript.step('somebody presses Retry')
  button()!.click()
  await page.waitFor(() => server.requests.length > 2, {
    seen: 'Somebody pressed Retry, and nobody asks the server.',
    expected: 'Expected a new connection.',
    often: 'the button has no onClick, or that does something else.',
  })
  await lists(after)
  hasNone('open')

  function hasNone(state: string): void {
    must(button() === undefined, {
      seen: `The stream is ${state}, and there is a button to retry.`,
      expected: 'Expected it only while the stream is closed.',
    })
  }
})

edgeCase('3.7f', 'React reports no error in the console', async (t) => {
  const server = await scriptedServer(t)
  const { itemOf, lists, connects } = await showLiveQuakes(t, server)
  await connects()
  const [first, second] = quakesApart(2)
  for (const quake of [first, second]) await lists(quake)
  // The same place, the same strength and the same moment make no quake the same.
  const twin = { ...second, id: `${second.id}-again` }
  server.send(`data: hello\n\n${eventOf(twin)}${eventOf(twin)}`)
  await lists({ ...first, id: 'last', place: 'the last place' })
  must(itemOf(first) !== undefined && reportedByReact.length === 0, {
    seen: `React reported in the console: ${reportedByReact[0]?.split('\n')[0]?.slice(0, 200)}`,
    expected:
      'Expected nothing: what React reports there is a mistake, even if the page looks right.',
  })
})

edgeCase('3.7g', 'another url shows another stream', async (t) => {
  const [first, second] = [await scriptedServer(t), await scriptedServer(t)]
  const { page, drawAt, itemOf, lists, says, connects } = await showLiveQuakes(t, first, [second])
  await connects()
  const [before, after] = quakesApart(2)
  await lists(before)
  drawAt(second)
  t.transcript.step('<LiveQuakes> gets another url')
  await page.waitFor(() => second.requests.length > 0, {
    seen: '<LiveQuakes> was given another url, and nobody asks for it.',
    expected: 'Expected it to show the stream of that url.',
    often: 'the url of the first render is kept.',
  })
  await lists(after, second)
  await page.waitFor(() => itemOf(before) === undefined && says('open'), {
    seen: '<LiveQuakes> was given another url, and the page shows the list or the status of the old one.',
    expected: 'Expected the view of the new stream, and nothing else.',
  })
})

// 3.8 The tab comes back

check('3.8a', 'a tab that comes back opens a closed stream again', async (t) => {
  const { page, server, watcher, connects, lists, showsStatus, showsCounts } = await mount(t, {
    exclusive: true,
  })
  const [before, ...after] = quakes(3)
  await connects()
  server.send('retry: 10\n\n')
  await lists(before)
  const listened = pageListeners('visibilitychange')
  for (const [n, quake] of after.entries()) {
    hideTab(t)
    server.answer(500)
    // A page may close by itself while nobody looks. Then there is nothing to cut.
    if (server.openResponses > 0) server.cut()
    await page.waitFor(() => openConnections(server) === 0, {
      seen: 'The server answers 500, and the EventSource has not given up.',
      expected: 'Expected it to be closed.',
    })
    // Nobody comes back in the same millisecond: React has shown it by then.
    await fence(t)
    server.answer(200)
    const asked = server.requests.length
    showTab(t)
    await page.waitFor(() => server.requests.length > asked, {
      seen: `The stream was closed while the tab was hidden, the tab is back${n > 0 ? ' for the second time' : ''}, and nobody asks the server.`,
      expected: 'Expected a new connection, without a click.',
      ...(listened === 0
        ? { often: "nobody listens to 'visibilitychange' of the document." }
        : pageListeners('visibilitychange') < listened && {
            often:
              "'visibilitychange' is listened to once. It comes when the tab is hidden, and again when it is back.",
          }),
    })
    await showsStatus('open', notOpen)
    server.send('retry: 10\n\n')
    await lists(quake)
  }
  const silent = { ...t, transcript: SILENT }
  for (let n = 3; n <= RETRIES; n += 1) {
    hideTab(silent)
    const source = sourcesOf(server.url).at(-1)!
    if (source.readyState !== EventSource.CLOSED) {
      fail(source)
      await page.waitFor(() => watcher.view.status === 'closed', notClosed)
    }
    const { length } = sourcesOf(server.url)
    showTab(silent)
    await t.waitFor(() => sourcesOf(server.url).length > length, {
      seen: `The stream was closed while the tab was hidden, the tab is back for the ${n}th time, and no EventSource was made.`,
      expected: 'Expected a new connection, each time.',
    })
  }
  t.transcript.step(`the tab is hidden and comes back ${RETRIES} times`)
  await showsStatus('open', notOpen)
  await showsCounts([3, 3, 0], (told) => ({
    seen: `The tab went and came back ${RETRIES} times, three quakes came, and the view has ${told}.`,
    expected: 'Expected 3, 3 and 0: the list and the counts go on.',
    often: 'everything begins anew with the connection.',
  }))
})

edgeCase('3.8b', 'a tab that wakes up opens one connection', async (t) => {
  const server = await scriptedServer(t)
  server.answer(500)
  const { page, watcher, lists, showsStatus } = await mount(t, {
    servers: [server],
    controlledTimers: true,
  })
  await showsStatus('closed', notClosed)
  hideTab(t)
  window.dispatchEvent(new window.Event('blur'))
  window.dispatchEvent(new window.Event('online'))
  await page.runPendingTimers()
  await fence(t)
  must(server.requests.length === 1 && sourcesOf(server.url).length === 1, {
    seen: 'The stream is closed, the tab was hidden, and the stream was opened again.',
    expected: 'Expected it to wait until somebody can see it.',
    often:
      'visibilitychange comes when the tab is hidden, too. document.visibilityState tells which.',
  })
  server.answer(200)
  showTab(t, { wasFrozen: true })
  await showsStatus('open', {
    seen: 'A frozen tab woke up, and its closed stream did not open.',
    expected: 'Expected it to open.',
  })
  server.send('retry: 10\n\n')
  await lists(quakes(1)[0])
  await page.waitFor(() => server.requests.length === sourcesOf(server.url).length, notOpen)
  const open = openConnections(server)
  must(open === 1, {
    seen: `A frozen tab woke up, which resume, visibilitychange, pageshow, online and focus all tell, and ${describeConnections(open)} are open.`,
    expected: 'Expected one.',
    often: 'each event opens one, without a look at what is there.',
  })
  // This time it fails while nobody looks.
  hideTab(t)
  server.answer(500)
  if (server.openResponses > 0) server.cut()
  await page.waitFor(() => openConnections(server) === 0, {
    seen: 'The server answers 500, and the EventSource has not given up.',
    expected: 'Expected it to be closed.',
  })
  const { length } = sourcesOf(server.url)
  await page.runPendingTimers()
  t.transcript.step('time goes by')
  await fence(t)
  must(sourcesOf(server.url).length === length, {
    seen: 'The stream failed while the tab was hidden, and it was opened again before the tab came back.',
    expected: 'Expected it to wait until somebody can see it.',
    often: 'a timer or the listener of error opens it.',
  })
  must(watcher.view.quakes.length === 1, {
    seen: 'The stream failed while the tab was hidden, and its quake is not in the list.',
    expected: 'Expected the list to stay.',
  })
})

edgeCase('3.8c', 'a stream that lives is left alone when the tab comes back', async (t) => {
  const [before, after, hidden] = quakes(3)
  const { page, server, watcher, connects, lists, showsStatus } = await mount(t, {
    exclusive: true,
  })
  await connects()
  await lists(before)
  hideTab(t)
  // Closing what nobody looks at is a way to save connections.
  const lived = openConnections(server) === 1
  if (lived) {
    deliver(sourcesOf(server.url).at(-1)!, JSON.stringify(hidden))
    t.transcript.step('a quake comes')
    await fence(t)
  }
  showTab(t, { wasFrozen: true })
  await showsStatus('open', notOpen)
  const asked = (): boolean => server.requests.length === sourcesOf(server.url).length
  await page.waitFor(() => server.openResponses === 1 && asked(), {
    seen: () =>
      `The tab was hidden and is back, and the server has ${describeConnections(server.openResponses)}.`,
    expected: 'Expected one.',
    often: 'a new EventSource is made for the tab that comes back, and the old one stays.',
  })
  if (lived) {
    await page.waitFor(() => watcher.has(hidden), {
      seen: 'A quake came while the tab was hidden, the tab is back, and the list does not have the quake.',
      expected: 'Expected it there: its connection was open all the time.',
    })
  }
  await lists(after)
  const wanted = lived ? 3 : 2
  must(watcher.view.quakes.length === wanted && openConnections(server) === 1, {
    seen: `The tab was hidden and is back, the list has ${watcher.view.quakes.length} of ${wanted} quakes, and the page has ${describeConnections(openConnections(server))}.`,
    expected: 'Expected every quake and one connection.',
  })
  must(!lived || sourcesOf(server.url).length === 1, {
    seen: `The tab was hidden and is back, the stream was open all the time, and ${sourcesWere(server)} made.`,
    expected: 'Expected one: what happens while it connects anew is lost.',
    often: 'nobody looks whether the stream is closed.',
  })
})

edgeCase('3.8d', 'a component that is gone does not come back with the tab', async (t) => {
  const server = await scriptedServer(t)
  server.answer(500)
  const { page, draw, showsStatus } = await mount(t, {
    servers: [server],
    exclusive: true,
  })
  await showsStatus('closed', notClosed)
  draw()
  hideTab(t)
  server.answer(200)
  showTab(t)
  await fence(t)
  await page.waitFor(() => openConnections(server) === 0 && server.openResponses === 0, {
    seen: 'The component is gone, the tab was hidden and is back, and a connection is opened for nobody.',
    expected: 'Expected none.',
    often: 'the listener of the document stays when the component goes.',
  })
})

edgeCase('3.8e', 'a component that is gone leaves nothing behind', async (t) => {
  const server = await scriptedServer(t)
  const other = { ...server, url: `${server.url}?min=5` }
  const { draw, drawAll, watcher, connects } = await mount(t, {
    servers: [server, other],
    exclusive: true,
  })
  await connects()
  draw()
  const timers = trackTimers()
  t.atEnd(timers.stop)
  const silent = { ...t, transcript: SILENT }
  const before = pageListeners()
  const newest = (): BrowserEventSource => sourcesOf(server.url).at(-1)!
  const leave = (): void => drawAll([])
  // Each component has come, and goes.
  const visits = [
    leave,
    () => {
      deliver(newest(), JSON.stringify(quakes(1)[0]))
      leave()
    },
    () => {
      fail(newest())
      watcher.view.retry()
      leave()
    },
    () => {
      hideTab(silent)
      fail(newest())
      showTab(silent)
      leave()
    },
    () => {
      drawAll([{ url: other.url }])
      leave()
    },
    // The last one, so that no other closes what it leaves open.
    () => {
      hideTab(silent)
      leave()
      showTab(silent)
    },
  ]
  for (let n = 0; n < VISITS; n += 1) {
    drawAll([{ url: server.url }])
    visits[n % visits.length]!()
  }
  t.transcript.step(`a component comes and goes ${VISITS} times, in ${visits.length} ways`)
  const open = (): number => openConnections(server) + openConnections(other)
  await t.waitFor(() => open() === 0 && server.openResponses === 0, {
    seen: () =>
      `A component came and went ${VISITS} times, and ${describeConnections(Math.max(open(), server.openResponses))} ${Math.max(open(), server.openResponses) === 1 ? 'is' : 'are'} open.`,
    expected: 'Expected none: a component that goes closes its connection, even in a hidden tab.',
  })
  await t.waitFor(() => pageListeners() <= before, {
    seen: () =>
      `A component came and went ${VISITS} times, and ${pageListeners() - before} more listeners are on document and window.`,
    expected: 'Expected none: a component that goes removes its listeners.',
    often: 'addEventListener() has no removeEventListener() with the same function.',
  })
  await t.waitFor(() => timers.alive() === 0, {
    seen: () =>
      `A component came and went ${VISITS} times, and ${timers.alive()} of your timers still run.`,
    expected: 'Expected none: a component that goes clears its timers.',
    often: 'setInterval() has no clearInterval().',
  })
})

/** Enough to see what each of them leaves. */
const VISITS = 60

/** Sends these payloads and then a quake, which is to be all that is listed. */
async function mustSkip(t: Tools, payloads: string[], often: string): Promise<void> {
  const { page, server, watcher, connects, lists, showsCounts } = await mount(t)
  await connects()
  for (const [n, payload] of payloads.entries()) {
    server.send(`data: ${payload}\n\n`)
    await page.waitFor(() => watcher.view.skipped === n + 1, {
      seen: () =>
        `The data of an event is ${payload || 'empty'}, and skipped is ${watcher.view.skipped}.`,
      expected: `Expected ${n + 1}.`,
      often,
    })
  }
  t.transcript.step(`skipped is ${payloads.length}`)
  const [before, after] = quakes(2)
  server.send('retry: 10\n\n')
  await lists(before)
  await countsAre(`${payloads.length} events were no quakes and one was`, 1)
  server.cut()
  await page.waitFor(() => server.requests.length > 1, comesBackByItself)
  await lists(after)
  await countsAre('The connection was lost, and is back with another quake', 2)

  async function countsAre(what: string, come: number): Promise<void> {
    await showsCounts([come, come, payloads.length], (told) => ({
      seen: `${what}, and the view has ${told}.`,
      expected: `Expected ${come}, ${come} and ${payloads.length}.`,
    }))
  }
}

const notOpen: Story = {
  seen: 'The server answered, and the status is not open.',
  expected: 'Expected open.',
}

const comesBackByItself: Story = {
  seen: 'The connection was lost, retry is 10 ms, and nobody asks again.',
  expected: 'Expected the EventSource to come back.',
  often: "close() is called at 'error'. That ends its tries.",
}

const notClosed: Story = {
  seen: 'The server answered 500, and the status is not closed.',
  expected: 'Expected closed.',
}

/** `once`, `twice`, `3 times` */
function howOften(count: number): string {
  return ['0 times', 'once', 'twice'][count] ?? `${count} times`
}

/** `a, b and c` */
function joinWithAnd(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}
