import { mount, eventOf, notListed } from './harness/react/mount.ts'
import { createElement, Suspense, type ReactNode } from 'react'
import type { Quake } from '#feed'
import { useQuakes } from '#work/03-react/useQuakes.ts'
import { check, edgeCase, must } from './harness/check.ts'
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
import { burst } from './harness/react/burst.ts'
import {
  asksAgain,
  describeConnections,
  fence,
  openConnections,
  sourcesWere,
  waitUntilClosed,
} from './harness/react/connections.ts'
import {
  quakesApart,
  showLiveQuakes,
  identifies,
  STATUS,
  textOf,
} from './harness/react/live-quakes.ts'
import { openPage, reportedByReact } from './harness/react/page.ts'
import { pageListeners } from './harness/react/page-listeners.ts'
import { hideTab, showTab } from './harness/react/tab.ts'
import { forgiveUncaught } from './harness/uncaught-errors.ts'
import type { Watcher } from './harness/react/watcher.ts'
import { sampleSize } from './harness/sampling.ts'
import { scriptedServer, type ScriptedServer } from './harness/scripted-server.ts'
import { excerptJson, SILENT } from './harness/transcript.ts'
import { trackTimers } from './harness/work-timers.ts'

// 3.1 One connection for many

check('3.1a', 'useQuakes() lists each quake as soon as it arrives', async (t) => {
  const { watcher, connects, lists } = await mount(t)
  await connects()
  const handedOut: { list: readonly Quake[]; copy: readonly Quake[] }[] = []
  for (const quake of quakes(3)) {
    await lists(quake, {
      story: {
        ...notListed(quake),
        often:
          "your code doesn't listen for 'message', or it modifies the state in place, so React sees no change.",
      },
    })
    const list = watcher.view.quakes
    handedOut.push({ list, copy: [...list] })
    const [first] = list
    must(deepEqual(first, quake), {
      seen: `A quake arrived, but the first quake in the list is ${excerptJson(first)}`,
      expected: `Expected the first quake in the list to be the one that arrived, unchanged: ${excerptJson(quake)}`,
      often:
        first?.id === quake.id
          ? 'your code changes the quake. List the object that JSON.parse() returns for event.data.'
          : 'your code appends the quake or sorts the list. The newest quake must be first.',
    })
  }
  must(
    handedOut.every(({ list, copy }) => deepEqual(list, copy)),
    {
      seen: 'Three quakes arrived, but the quakes array from an earlier render was modified.',
      expected:
        'Expected a new array whenever the list changes, because memo() compares arrays by identity.',
      often:
        'your code keeps a single array, and modifies it with push(), unshift(), splice() or sort().',
    },
  )
})

check('3.1b', 'a render that React discards opens no connection', async (t) => {
  const server = await scriptedServer(t)
  const never = new Promise<void>(() => {})
  const Waits = (): ReactNode => {
    useQuakes(server.url)
    throw never
  }
  const page = await openPage(t, [server.url])
  const fallback = createElement('p', null, 'loading')
  page.draw(createElement(Suspense, { fallback }, createElement(Waits)))
  t.transcript.step('React discards the first render')
  await page.waitFor(() => page.body.textContent === 'loading', {
    seen: 'A component suspended, but React did not show the fallback.',
    expected: 'Expected React to show the fallback.',
  })
  await fence(t)
  must(sourcesOf(server.url).length === 0, {
    seen: 'React rendered a component without mounting it, but the component opened a connection.',
    expected: 'Expected no connection, because React runs no cleanup when it discards a render.',
    often:
      'your code calls new EventSource() in the component, in useMemo() or in useState(). Create the EventSource in an effect, which runs only after mounting.',
  })
})

check(
  '3.1c',
  'one connection is open under StrictMode, and it closes when the component unmounts',
  async (t) => {
    const { page, server, draw, connects, lists } = await mount(t, { strict: true })
    await connects()
    const [quake] = quakes(1)
    await lists(quake)
    const open = openConnections(server)
    must(open === 1, {
      seen: `The component mounted under StrictMode, but ${describeConnections(open)} ${open === 1 ? 'is' : 'are'} open.`,
      expected:
        'Expected one open connection. StrictMode runs each effect, then its cleanup, then the effect again.',
      often:
        'your effect returns no cleanup, or the cleanup does not close the connection at once.',
    })
    draw()
    await waitUntilClosed(page, server, {
      seen: 'The component unmounted, but its connection is still open.',
      expected:
        'Expected the connection to be closed. Otherwise the server keeps sending to a page that no longer listens.',
      often:
        'your effect has no cleanup, or a flag prevents the cleanup from closing the connection.',
    })
  },
)

check('3.1d', 'components with the same URL share one connection', async (t) => {
  const [here, there] = [await scriptedServer(t), await scriptedServer(t)]
  const filtered = { ...here, url: `${here.url}?min=5` }
  const { page, server, watchers, drawAll, connects, lists } = await mount(t, {
    servers: [here, there, filtered],
    strict: true,
  })
  t.transcript.step('two more components mount')
  drawAll(Array.from({ length: 3 }, () => ({ url: server.url })))
  await connects()
  const [quake, next, last] = quakes(3)
  server.send(eventOf(quake))
  await page.waitFor(
    () => watchers.every((each) => each.has(quake)),
    () => ({
      seen: `A quake arrived, but ${watchers.filter((each) => !each.has(quake)).length} of 3 components do not show the quake.`,
      expected: 'Expected every component to show the quake.',
      ...(watchers[0]!.has(quake) && {
        often: 'your code updates only the component that opened the connection.',
      }),
    }),
  )
  t.transcript.step('every component shows the quake')
  const open = openConnections(server)
  must(open === 1, {
    seen: `Three components follow the same URL, but ${describeConnections(open)} are open.`,
    expected:
      'Expected one connection. Over HTTP/1.1 a browser opens at most six connections to one server, across all tabs.',
    often:
      'each of your components creates its own EventSource. Share one EventSource, outside of React.',
  })
  drawAll(Array.from({ length: CROWD }, () => ({ url: server.url })))
  t.transcript.step(`${CROWD} components mount`)
  server.send(eventOf(next))
  await page.waitFor(() => watchers.every((each) => each.has(next)), {
    seen: () =>
      `A quake arrived, but ${watchers.filter((each) => !each.has(next)).length} of ${CROWD} components do not show the quake.`,
    expected: 'Expected every component to show the quake.',
  })
  const asked = here.requests.length
  drawAll([{ url: here.url }])
  drawAll([{ url: here.url }, { url: there.url }, { url: filtered.url }])
  t.transcript.step('components with two other URLs mount')
  await page.waitFor(() => there.requests.length > 0, {
    seen: 'Two components follow two URLs, but the server at the second URL got no request.',
    expected: 'Expected a connection to each server.',
    often: 'your code uses one EventSource for all components, even if their URLs differ.',
  })
  await page.waitFor(() => here.requests.length > asked, {
    seen: 'Two components follow /events and /events?min=5 on one server, but the server got no request for the second URL.',
    expected:
      'Expected a connection for each URL, because a different query means a different stream.',
    often: 'your code compares only part of the URL.',
  })
  await lists(last, { from: there, to: watchers[1]! })
  const listed = watchers[1]!.view.quakes.length
  must(listed === 1, {
    seen: `One quake arrived on the second of two streams, but the list for that stream has ${listed} quakes.`,
    expected: 'Expected the list to have one quake.',
    often: 'your code uses one list for all streams.',
  })
})

/** More components than an EventEmitter accepts as listeners without a warning. */
const CROWD = 20

check('3.1e', 'a component that mounts later shows the current list at once', async (t) => {
  const { page, server, watcher, watchers, drawAll, connects, lists } = await mount(t)
  await connects()
  for (const quake of quakes(2)) await lists(quake)
  // From now on a component learns nothing from a request, because the server does not respond.
  server.stopAnswering()
  drawAll([{ url: server.url }, { url: server.url }])
  t.transcript.step('a second component mounts')
  const listed = (): readonly Quake[] | undefined => watchers[1]?.view.quakes
  await page.waitFor(() => deepEqual(listed(), watcher.view.quakes), {
    seen: () =>
      `A component mounted while another one had 2 quakes in its list, but the list in the new component has ${listed()?.length ?? 'no length'}.`,
    expected: 'Expected the same list in both components, because they share the stream.',
    often: 'each of your components keeps its own list.',
  })
})

check('3.1f', 'when one component unmounts, the others keep working', async (t) => {
  const [before, after] = quakes(2)
  const { page, server, watchers, drawAll, connects, lists } = await mount(t)
  drawAll([{ url: server.url }, { url: server.url }, { url: server.url }])
  await connects()
  const [, second, third] = watchers
  await lists(before, { to: second })
  drawAll([undefined, { url: server.url }, { url: server.url }])
  t.transcript.step('the first component unmounts')
  const story: Story = {
    seen: 'The first of three components unmounted, but then the others did not list the next quake.',
    expected: 'Expected the connection to stay open while any component follows the URL.',
    often:
      'your connection belongs to the component that opened it, and closes with that component.',
  }
  await lists(after, { to: second, story })
  await page.waitFor(() => third!.has(after), story)
  must(sourcesOf(server.url).length === 1, {
    seen: `The first of three components unmounted, and ${sourcesWere(server)} created in total.`,
    expected:
      'Expected one EventSource. A new connection would miss the quakes that happen before it opens.',
    often:
      'each of your components creates its own EventSource, or the first one to unmount closes the shared one.',
  })
})

check(
  '3.1g',
  'the last component to unmount closes the connection, and the next one starts a new list',
  async (t) => {
    const [before, late, after] = quakes(3)
    const { page, server, watcher, drawAll, connects, lists } = await mount(t, { strict: true })
    drawAll([{ url: server.url }, { url: server.url }])
    await connects()
    await lists(before)
    // No timer, frame or render runs between this quake and the unmounting.
    deliver(sourcesOf(server.url).at(-1)!, JSON.stringify(late))
    t.transcript.step('another quake arrives, but is not shown yet')
    drawAll([undefined, { url: server.url }])
    drawAll([])
    t.transcript.step('both components unmount')
    await waitUntilClosed(page, server, {
      seen: 'Both components unmounted, but the connection is still open.',
      expected: 'Expected the last component to close the connection.',
      often: 'your code counts components when they mount, but not when they unmount.',
    })
    t.transcript.step('a component mounts')
    await asksAgain(page, server, () => drawAll([{ url: server.url }]), {
      seen: 'All components unmounted and another one mounted, but the server got no request.',
      expected: 'Expected a new connection to the server.',
      often: 'your code reuses the closed EventSource of the URL.',
    })
    await lists(after)
    const { length } = watcher.view.quakes
    must(length === 1, {
      seen: `A component mounted after all others had unmounted and one quake arrived, but the list has ${length} quakes.`,
      expected:
        'Expected the list to have one quake, because a new connection starts with a new list.',
      often: watcher.has(before)
        ? 'your code keeps the list of a URL after the last component with this URL has unmounted.'
        : 'your code does not discard the quakes that it had collected for the next render.',
    })
  },
)

// 3.2 The state of the connection

check(
  '3.2a',
  'the status is "connecting" until the response head arrives, then "open"',
  async (t) => {
    const server = await scriptedServer(t)
    server.stopAnswering()
    const { watcher, connects, showsStatus } = await mount(t, { servers: [server] })
    await connects()
    await fence(t)
    const went = watcher.statuses.map(String)
    must(went.length > 0, {
      seen: 'useQuakes() returned no status.',
      expected: 'Expected the status to be "connecting" from the first render.',
    })
    must(deepEqual(went, ['connecting']), {
      seen: `The server has not responded yet, but the status ${went.length > 1 ? 'went from' : 'is'} "${went.join('" to "')}".`,
      expected:
        'Expected the status to be "connecting" from the first render until the response head arrives.',
      often:
        'your code reports "open" as soon as it has created the EventSource. Wait for the event named "open".',
    })
    server.resumeAnswering()
    await showsStatus('open', {
      seen: 'The response head has arrived, but the status is still "connecting".',
      expected: 'Expected the status to be "open".',
      often: "your code doesn't listen for 'open', or it waits for the first message instead.",
    })
  },
)

check(
  '3.2b',
  'after a lost connection, the status is "connecting", then "open" again',
  async (t) => {
    const [before, after, last] = quakes(3)
    const { page, server, watcher, connects, lists, showsStatus } = await mount(t)
    await connects()
    server.send('retry: 10\n\n')
    await lists(before)
    server.stopAnswering()
    server.cut()
    await page.waitFor(() => watcher.view.status !== 'open', {
      seen: 'The connection was lost, but the status is still "open".',
      expected: 'Expected the status to be "connecting".',
      often: "your code doesn't listen for 'error'.",
    })
    must(watcher.view.status === 'connecting', {
      seen: `The connection was lost, and now the status is "${watcher.view.status}".`,
      expected:
        'Expected the status to be "connecting", because the EventSource is about to reconnect.',
      often:
        "your code treats every 'error' as final, but only an error with readyState CLOSED is.",
    })
    t.transcript.step('status is "connecting"')
    await page.waitFor(() => server.requests.length > 1, comesBackByItself)
    server.resumeAnswering()
    await showsStatus('open', {
      seen: 'The EventSource reconnected, but the status is not "open".',
      expected: 'Expected the status to be "open".',
      often:
        "your code listens for 'open' only once, but the event fires again after each reconnect.",
    })
    await lists(after)
    must(watcher.has(before), {
      seen: 'The EventSource reconnected, but the list no longer contains the earlier quake.',
      expected: 'Expected the list to keep its quakes.',
    })
    must(sourcesOf(server.url).length === 1, {
      seen: `The connection was lost once, but ${sourcesWere(server)} created.`,
      expected: 'Expected one EventSource, because an EventSource reconnects by itself.',
      often: "your code creates a new EventSource when 'error' fires.",
    })
    const [source] = sourcesOf(server.url)
    for (let n = 0; n < LOSSES; n += 1) loseAndFind(source!)
    t.transcript.step(`the connection is lost and reopened ${LOSSES} times`)
    await lists(last, {
      story: {
        seen: `The connection was lost and reopened ${LOSSES} times, but ${describeQuake(last)}, which arrived next, is not in the list.`,
        expected:
          'Expected the quake to be in the list, because an EventSource reconnects however often its connection is lost.',
        ...(source!.wasClosed && {
          often: 'your code counts the errors, and calls close() after too many of them.',
        }),
      },
    })
    await showsStatus('open', () => ({
      seen: `The connection was lost and reopened ${LOSSES} times, and now the status is "${watcher.view.status}".`,
      expected:
        'Expected the status to be "open", because an EventSource reconnects however often its connection is lost.',
    }))
  },
)

/** More losses than any limit at which the work might give up. */
const LOSSES = 400

check('3.2c', 'a stream that was refused or has ended stays closed', async (t) => {
  const refused = await scriptedServer(t)
  refused.answer(500)
  const first = await mount(t, { servers: [refused], timers: t.controlTimers() })
  await first.showsStatus('closed', {
    seen: 'The server answered 500 and the EventSource gave up, but the status is not "closed".',
    expected: 'Expected the status to be "closed", because the EventSource will not reconnect.',
    often:
      'your code treats every error as a lost connection. Read readyState to tell the two apart.',
  })
  await first.page.runPendingTimers()
  t.transcript.step('all timers of the page fire')
  await fence(t)
  must(refused.requests.length === 1 && sourcesOf(refused.url).length === 1, {
    seen: 'The server answered 500, and the stream was reopened without a call to retry().',
    expected: 'Expected no second request until retry() is called.',
    often:
      'your code creates a new EventSource when readyState is CLOSED, immediately or after a delay. Every open page then sends more requests to a server in trouble.',
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
    seen: 'The stream ended and the server answered the next request with 204, but the status is not "closed".',
    expected: 'Expected the status to be "closed", because the EventSource will not reconnect.',
    often:
      'your code treats every error as a lost connection. Read readyState to tell the two apart.',
  })
  must(watcher.view.quakes.length === 1, {
    seen: 'The stream ended, and its quake disappeared from the list.',
    expected: 'Expected the list to keep its quakes.',
  })
})

check('3.2d', 'retry() reopens a closed stream', async (t) => {
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
  await page.waitFor(
    () => server.requests.length > 1,
    () => ({
      seen: 'retry() was called, but the server got no request.',
      expected: 'Expected a new connection, because a closed EventSource never reopens.',
      ...(watcher.view.status === 'connecting' && {
        often: 'your retry() changes the status, but creates no EventSource.',
      }),
    }),
  )
  await showsStatus('connecting', () => ({
    seen: `retry() was called and the server has not responded yet, but the status is "${watcher.view.status}".`,
    expected:
      'Expected the status to be "connecting" immediately, so that a click on Retry has a visible effect.',
    often:
      'your retry() does not update the status. A new EventSource is CONNECTING, but no event reports that state.',
  }))
  server.resumeAnswering()
  await showsStatus('open', {
    seen: 'retry() was called and the server answered 200, but the status is not "open".',
    expected: 'Expected the status to be "open".',
    often: 'your code adds no listeners to the new EventSource.',
  })
  await lists(quakes(1)[0])
  const open = openConnections(server)
  must(open === 1, {
    seen: `retry() was called twice in a row, but ${describeConnections(open)} are open.`,
    expected: 'Expected one connection, because the first call had already reopened the stream.',
    often: 'your retry() checks the status of the last render. Check readyState instead.',
  })
  const retries = sampleSize(RETRIES)
  for (let n = 2; n <= retries; n += 1) {
    const { length } = sourcesOf(server.url)
    fail(sourcesOf(server.url).at(-1)!)
    await page.waitFor(() => watcher.view.status === 'closed', notClosed)
    watcher.view.retry()
    await page.waitFor(() => sourcesOf(server.url).length > length, {
      seen: `The stream was closed ${n} times, but the last call to retry() created no EventSource.`,
      expected:
        'Expected a new EventSource each time. retry() reopens a closed stream, however often it has been closed.',
    })
  }
  t.transcript.step(`the stream is closed and retry() is called, ${retries} times`)
  await showsStatus('open', notOpen)
})

/** More retries than any limit that the work might have. */
const RETRIES = 20

check('3.2e', 'retry() does nothing while the stream is connecting or open', async (t) => {
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
    seen: `A component called the same retry() while the stream was closed and then while it was open, and ${sourcesWere(server)} created.`,
    expected:
      'Expected 2 EventSources. Even a retry() from an earlier render must leave an open stream alone.',
    often: 'your retry() checks the status of its own render. Check readyState instead.',
  })

  async function doesNothing(state: string): Promise<void> {
    t.transcript.step('retry() is called')
    watcher.view.retry()
    await fence(t)
    must(sourcesOf(server.url).length === 1, {
      seen: `retry() was called while the stream was ${state}, and ${sourcesWere(server)} created.`,
      expected: 'Expected retry() to do nothing.',
      often: 'your retry() does not check readyState, although somebody may click twice.',
    })
  }
})

edgeCase('3.2f', 'an event named "error" does not change the status', async (t) => {
  const { server, watcher, connects, lists, showsStatus } = await mount(t)
  await connects()
  await showsStatus('open', notOpen)
  for (const [n, quake] of quakes(2).entries()) {
    server.send(n === 0 ? 'event: error\ndata: overloaded\n\n' : 'event: error\ndata: {}\n\n')
    await lists(quake, {
      story: {
        seen: `The server sent an event named "error", but ${describeQuake(quake)}, which arrived next, is not in the list.`,
        expected:
          'Expected the quake to be in the list. An event named "error" is an ordinary message, so the connection stays open.',
      },
    })
  }
  const { length } = sourcesOf(server.url)
  must(deepEqual(watcher.statuses, ['connecting', 'open']) && length === 1, {
    seen: `The server sent an event named "error", the status went from "${watcher.statuses.join('" to "')}", and ${sourcesWere(server)} created.`,
    expected:
      'Expected the status to stay "open". An event named "error" is an ordinary message, so the connection stays open.',
    often:
      "your code treats every event named 'error' as a lost connection. If readyState is OPEN, the connection is fine.",
  })
})

check('3.2g', 'a component that mounts later shows the current status', async (t) => {
  const { page, server, watchers, drawAll, connects, lists, showsStatus } = await mount(t)
  await connects()
  await lists(quakes(1)[0])
  // From now on a component learns nothing from a request, because the server does not respond.
  server.stopAnswering()
  await mountsAnother('open', "your component waits for the 'open' event, which has already fired.")
  server.resumeAnswering()
  fail(sourcesOf(server.url).at(-1)!)
  await showsStatus('closed', {
    seen: 'The EventSource gave up, but the status is not "closed".',
    expected: 'Expected the status to be "closed".',
  })
  drawAll([{ url: server.url }])
  await mountsAnother(
    'closed',
    "your component waits for the 'error' event, which has already fired.",
  )

  async function mountsAnother(status: string, often: string): Promise<void> {
    drawAll([{ url: server.url }, { url: server.url }])
    t.transcript.step('a second component mounts')
    const second = (): unknown => watchers[1]?.view.status
    must(sourcesOf(server.url).length === 1, {
      seen: `A component mounted while the stream was ${status}, and ${sourcesWere(server)} created.`,
      expected: 'Expected one EventSource. A closed stream stays closed until retry() is called.',
      often: 'your code reopens a closed stream when a component mounts.',
    })
    await page.waitFor(() => second() === status, {
      seen: () =>
        `A component mounted while the stream was ${status}, but its status is "${second()}".`,
      expected: `Expected the status to be "${status}", without another request.`,
      often,
    })
    t.transcript.step(`the second component shows ${status}`)
  }
})

// 3.3 What arrives

check('3.3a', 'data that is not a quake is skipped and counted', async (t) => {
  const { page, server, watcher, connects, lists, showsCounts } = await mount(t)
  await connects()
  for (const [n, payload] of NOT_QUAKES.entries()) {
    server.send(`data: ${payload}\n\n`)
    await page.waitFor(() => watcher.view.skipped === n + 1, {
      seen: () =>
        `Event ${n + 1} arrived with ${payload ? `the data ${payload}` : 'empty data'}, but skipped is ${watcher.view.skipped}.`,
      expected: `Expected skipped to be ${n + 1}.`,
      often: isJson(payload)
        ? 'your code accepts whatever JSON.parse() returns. Check that the result has an id, and that the id is a string.'
        : 'your code does not count the event, or does not update the view afterwards.',
    })
  }
  t.transcript.step(`skipped is ${NOT_QUAKES.length}`)
  const [before, after] = quakes(2)
  server.send('retry: 10\n\n')
  await lists(before)
  await countsAre(
    `${NOT_QUAKES.length} events without a quake and one event with a quake arrived`,
    1,
  )
  server.cut()
  await page.waitFor(() => server.requests.length > 1, comesBackByItself)
  await lists(after)
  await countsAre('After a reconnect, another quake arrived', 2)

  async function countsAre(what: string, come: number): Promise<void> {
    await showsCounts([come, come, NOT_QUAKES.length], (told) => ({
      seen: `${what}, but the view shows ${told}.`,
      expected: `Expected ${come} ${come === 1 ? 'quake' : 'quakes'} in the list, ${come} received and ${NOT_QUAKES.length} skipped.`,
    }))
  }
})

const NOT_QUAKES = [
  '{"id": ',
  'hello',
  '',
  'null',
  '42',
  '"hello"',
  '[]',
  '{}',
  '{"id":7}',
  '{"id":["x"]}',
]

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

check('3.3b', 'a quake that arrives again is listed once, with its latest data', async (t) => {
  const [first, second, third] = quakes(3)
  const { page, server, watcher, connects, lists } = await mount(t)
  await connects()
  await lists(first)
  await lists(second)
  server.send(eventOf(first) + eventOf(second))
  await lists(third)
  const ids = watcher.view.quakes.map(({ id }) => id)
  must(ids.length === 3 && new Set(ids).size === 3, {
    seen: `Two of three quakes arrived twice, but the list has ${ids.length} quakes: ${joinWithAnd(ids)}.`,
    expected:
      'Expected each quake to be listed once, because a server may repeat itself after a reconnect.',
    often:
      'your code does not check whether the id is already in the list, or checks only the latest quake.',
  })
  for (const magnitude of [0, -0.4, 9.25]) {
    for (const quake of [first, third]) {
      const list = watcher.view.quakes
      const copy = structuredClone(list)
      server.send(eventOf({ ...quake, magnitude }))
      const listed = (): Quake | undefined => watcher.view.quakes.find(({ id }) => id === quake.id)
      await page.waitFor(() => listed()?.magnitude === magnitude, {
        seen: () =>
          `A quake arrived again with the magnitude ${magnitude}, but the list shows ${listed()?.magnitude}.`,
        expected: `Expected the magnitude to be ${magnitude}. The latest data wins, because a quake may be corrected.`,
        often: 'your code ignores a quake whose id is already in the list.',
      })
      must(deepEqual(list, copy), {
        seen: 'A quake arrived again with another magnitude, but the quakes array from an earlier render was modified.',
        expected: 'Expected the earlier array and each quake in it to stay unchanged.',
        often: 'your code writes the new data into the array or the object from an earlier render.',
      })
    }
  }
  must(watcher.view.quakes.length === 3, {
    seen: `Two of three quakes arrived again with another magnitude, but the list has ${watcher.view.quakes.length} quakes.`,
    expected: 'Expected each of the three quakes to be listed once.',
  })
  const bare: Partial<Quake> = { ...first, magnitude: 3.5 }
  delete bare.status
  server.send(`data: ${JSON.stringify(bare)}\n\n`)
  const listedNow = (): Quake | undefined => watcher.view.quakes.find(({ id }) => id === first.id)
  await page.waitFor(() => listedNow()?.magnitude === 3.5, {
    seen: 'A quake arrived again with another magnitude and without its status, but the list still has the old data.',
    expected: 'Expected the list to have the latest data.',
  })
  must(deepEqual(listedNow(), bare), {
    seen: `A quake arrived again as ${excerptJson(bare)}, but the list has ${excerptJson(listedNow())}.`,
    expected: 'Expected only the latest data, and nothing from the old data.',
    often: 'your code merges the new data into the old data.',
  })
})

check('3.3c', 'the list contains the newest hundred quakes, newest first', async (t) => {
  const { page, server, watcher, connects } = await mount(t)
  await connects()
  const happened = quakes(120)
  server.send(happened.map(eventOf).join(''), '120 quakes at once')
  await page.waitFor(() => watcher.has(happened.at(-1)!), {
    seen: '120 quakes arrived, but the last of them is not in the list.',
    expected: 'Expected the list to contain the newest hundred quakes.',
    often: 'your code adds or removes quakes at the wrong end.',
  })
  t.transcript.step(`the list has ${watcher.view.quakes.length} quakes`)
  const ids = watcher.view.quakes.map(({ id }) => id)
  must(ids.length === 100, {
    seen: `120 quakes arrived, but the list has ${ids.length} quakes.`,
    expected:
      'Expected 100 quakes. A page may stay open for a week, so it must not keep every quake.',
    ...(ids.length > 100 && { often: 'your code never removes quakes from the list.' }),
  })
  const wanted = happened.slice(-100).toReversed()
  must(
    deepEqual(
      ids,
      wanted.map(({ id }) => id),
    ),
    {
      seen: `120 quakes arrived, but the list begins with ${joinWithAnd(ids.slice(0, 2))} and ends with ${ids.at(-1)}.`,
      expected: `Expected the newest quake to be first: ${joinWithAnd(wanted.slice(0, 2).map(({ id }) => id))}, …, ${wanted.at(-1)!.id}.`,
      often: 'your code adds or removes quakes at the wrong end.',
    },
  )
  await page.waitFor(() => watcher.view.received === 120, {
    seen: () => `120 quakes arrived, but received is ${watcher.view.received}.`,
    expected:
      'Expected received to be 120, because it also counts the quakes that have been removed from the list.',
    often: 'your code returns the length of the list as received.',
  })
  // The newest quake is at the top, whether or not the work moves a repeated quake.
  const newest = { ...happened.at(-1)!, magnitude: 9.75 }
  server.send(eventOf(newest), 'the last of the 120 again, corrected')
  await page.waitFor(() => watcher.view.quakes[0]?.magnitude === 9.75, {
    seen: 'The list was full and its first quake arrived again with another magnitude, but the list still has the old magnitude.',
    expected: 'Expected the list to have the latest data.',
  })
  isList(
    wanted,
    'its first quake arrived again',
    'your code removes a quake although it did not add a new one.',
  )
  // The work may or may not recognise a quake that has left the list.
  const [returning] = happened
  const next = { ...newest, id: 'next' }
  server.send(eventOf(returning!) + eventOf(next), 'the first of the 120 again, and a new quake')
  await page.waitFor(() => watcher.has(next), notListed(next))
  const isBack = watcher.has(returning!)
  isList(
    [next, ...(isBack ? [returning!] : []), ...wanted].slice(0, 100),
    'a quake that had left it arrived again, followed by a new quake',
    'your code removes too many quakes, or puts the repeated quake back in its old place.',
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
        seen: `The list was full, and ${what}. Now the list has ${now.length} quakes, ${missing ? `and ${missing} of the newest hundred ${missing === 1 ? 'is' : 'are'} missing` : 'but in the wrong order'}.`,
        expected:
          'Expected the list to contain the hundred quakes that arrived last, newest first.',
        often,
      },
    )
  }
})

edgeCase('3.3d', 'quakes in events named "quake" are listed as well', async (t) => {
  const [special, plain] = quakes(2)
  const { page, server, watcher, connects, lists, showsCounts } = await mount(t)
  await connects()
  server.send(`event: quake\n${eventOf(special)}`)
  await page.waitFor(() => watcher.view.quakes[0]?.id === special.id, {
    seen: 'A quake arrived in an event named "quake", but the list does not contain the quake.',
    expected: 'Expected the quake to be in the list.',
    often:
      "your code listens only for 'message'. A named event reaches only the listeners for its name.",
  })
  t.transcript.step('the quake is in the list')
  await lists(plain)
  await showsCounts([2, 2, 0], (told) => ({
    seen: `Two quakes arrived, one of them in an event named "quake", but the view shows ${told}.`,
    expected: 'Expected 2 quakes in the list, 2 received and 0 skipped.',
  }))
  server.send('event: quake\ndata: hello\n\n')
  await page.waitFor(() => watcher.view.skipped === 1, {
    seen: () =>
      `An event named "quake" with the data hello arrived, but skipped is ${watcher.view.skipped}.`,
    expected: 'Expected skipped to be 1. The name of an event does not make its data valid.',
    often:
      'your code has one listener for each event name, and one of these listeners does not update the count.',
  })
  t.transcript.step('skipped is 1')
})

edgeCase('3.3e', 'an object with any string as its id counts as a quake', async (t) => {
  const { page, server, watcher, connects } = await mount(t)
  await connects()
  const ids = [...AWKWARD_IDS, ...quakes(1).map(({ id }) => id)]
  server.send(
    ids.map((id) => `data: ${JSON.stringify({ id })}\n\n`).join(''),
    `${ids.length} quakes with only an id`,
  )
  await page.waitFor(() => watcher.view.received + watcher.view.skipped >= ids.length, {
    seen: () =>
      `${ids.length} quakes arrived, but the view shows ${watcher.view.received} received and ${watcher.view.skipped} skipped.`,
    expected: `Expected ${ids.length} received, because each is an object whose id is a string.`,
  })
  must(watcher.view.received === ids.length, {
    seen: `${ids.length} quakes with only an id arrived, but ${watcher.view.skipped} of them ${watcher.view.skipped === 1 ? 'was' : 'were'} skipped.`,
    expected: 'Expected no quake to be skipped, because each is an object whose id is a string.',
    often:
      watcher.view.skipped === 1
        ? 'your code treats an empty id as a missing id.'
        : 'your code requires other fields besides the id. Those fields are up to the server.',
  })
  const listed = watcher.view.quakes.map(({ id }) => id)
  await page.waitFor(() => watcher.view.quakes.length === ids.length, {
    seen: () => {
      const now = new Set(watcher.view.quakes.map(({ id }) => id))
      const missing = ids.filter((id) => !now.has(id)).map((id) => excerptJson(id))
      return `${ids.length} quakes arrived, but the list has ${watcher.view.quakes.length} quakes. ${missing.length === 1 ? 'This id is' : 'These ids are'} missing: ${missing.join(', ')}.`
    },
    expected:
      'Expected every quake to be in the list. Any string is a valid id, and two ids are equal only if all their characters are.',
    ...(!listed.includes('__proto__') && {
      often:
        'your code uses the ids as keys of a plain object, which inherits some keys. A Map inherits none.',
    }),
  })
  const now = watcher.view.quakes.map(({ id }) => id)
  must(deepEqual(now, ids.toReversed()), {
    seen: `${ids.length} quakes arrived, but the list has them in this order: ${now.map((id) => excerptJson(id)).join(', ')}.`,
    expected: 'Expected the newest quake to be first.',
    often:
      'your code uses the ids as keys of a plain object, which puts keys that are whole numbers first. A Map keeps the order of insertion.',
  })
})

/** IDs that are easy to confuse, although no two of them are equal. */
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

edgeCase('3.3f', 'a component that mounts later shows the current counts', async (t) => {
  const { page, server, watcher, watchers, drawAll, connects, lists } = await mount(t)
  await connects()
  server.send('data: hello\n\n')
  for (const quake of quakes(2)) await lists(quake)
  drawAll([{ url: server.url }, { url: server.url }])
  t.transcript.step('a second component mounts')
  const countsOf = ({ view: { received, skipped } }: Watcher): string =>
    `${received} received and ${skipped} skipped`
  const late = (): string => countsOf(watchers[1]!)
  await page.waitFor(() => late() === countsOf(watcher), {
    seen: () =>
      `A component mounted while another one showed ${countsOf(watcher)}, but the new component shows ${late()}.`,
    expected: 'Expected the same counts in both components, because they share the stream.',
    often: 'each of your components keeps its own counts.',
  })
})

// 3.4 What changes

check('3.4a', 'a new URL closes the old connection and starts a new view', async (t) => {
  const [first, second] = [await scriptedServer(t), await scriptedServer(t)]
  const [before, late, after, again] = quakes(4)
  const { page, watcher, draw, connects, lists, showsStatus, showsCounts } = await mount(t, {
    servers: [first, second],
  })
  await connects()
  first.send('data: hello\n\n')
  await lists(before)
  second.stopAnswering()
  // No timer, frame or render runs between this quake and the change of the URL.
  deliver(sourcesOf(first.url).at(-1)!, JSON.stringify(late))
  t.transcript.step('another quake arrives, but is not shown yet')
  await asksAgain(page, second, () => draw({ url: second.url }), {
    seen: 'The component got another URL, but the server at that URL got no request.',
    expected: 'Expected a connection to the new URL.',
    often: 'the URL is missing from the dependencies of your subscription or your effect.',
  })
  await waitUntilClosed(page, first, {
    seen: 'The component got another URL, but the old connection is still open.',
    expected: 'Expected the connection to be closed.',
    often: 'your effect has no cleanup, or the cleanup closes the wrong connection.',
  })
  await page.waitFor(() => watcher.view.status === 'connecting', {
    seen: () =>
      `The component got another URL, whose server has not responded yet, but the status is "${watcher.view.status}".`,
    expected: 'Expected the status to be "connecting".',
    often: 'your code keeps the view of the old stream until the new stream delivers an event.',
  })
  t.transcript.step('status is "connecting"')
  second.resumeAnswering()
  await lists(after, { from: second })
  await isAnew('your code adds the quakes from the new stream to the list of the old stream.')
  fail(sourcesOf(second.url).at(-1)!)
  await showsStatus('closed', {
    seen: 'The EventSource for the new URL gave up, but the status is not "closed".',
    expected: 'Expected the status to be "closed".',
  })
  const retry = (): void => {
    t.transcript.step('retry() is called')
    watcher.view.retry()
  }
  await asksAgain(page, second, retry, {
    seen: 'The component got another URL, the new stream was closed and retry() was called, but the stream was not reopened.',
    expected: 'Expected a new connection to the new URL.',
    often: 'your retry() keeps using the URL of the first render.',
  })
  await asksAgain(page, first, () => draw({ url: first.url }), {
    seen: 'The component got its first URL again, but the server at that URL got no request.',
    expected: 'Expected a new connection, because the earlier one is closed.',
  })
  await lists(again)
  await isAnew(
    'your code keeps the view of a URL after the last component with this URL has unmounted.',
  )

  async function isAnew(often: string): Promise<void> {
    await showsCounts([1, 1, 0], (told) => ({
      seen: `One quake arrived on the new stream, but the view shows ${told}.`,
      expected:
        'Expected 1 quake in the list, 1 received and 0 skipped. Events from before the URL changed belong to another stream.',
      often,
    }))
    t.transcript.step('the view has only this quake')
  }
})

check('3.4b', 'the latest onQuake is called once per quake, without reconnecting', async (t) => {
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
  for (let n = 0; n < 3; n += 1) {
    draw({ onQuake: (quake?: Quake) => void got.push(quake?.id ?? 'undefined') })
  }
  must(sourcesOf(server.url).length === made, {
    seen: `The component was rendered three times, each time with a new onQuake, and ${sourcesOf(server.url).length - made} more EventSources were created.`,
    expected:
      'Expected the connection to stay open, because an inline function is a new function on every render.',
    often: 'your subscription or your effect depends on onQuake.',
  })
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
      seen: `The component was rendered with a new onQuake and three quakes arrived, but the new onQuake was called ${howOften(got.length)}.`,
      expected: 'Expected the new onQuake to be called with each quake.',
      ...(calledOfFirst > 1
        ? { often: 'your effect keeps calling the onQuake from the first render.' }
        : calledOfFirst === 0 && got.length === 0 && { often: 'your code never calls onQuake.' }),
    }),
  )
  const wanted = after.map(({ id }) => id)
  must(deepEqual(got, wanted), {
    seen: `The component was rendered with a new onQuake and three quakes arrived, but the new onQuake was called with ${joinWithAnd(got) || 'no quake'}.`,
    expected: `Expected one call to the new onQuake for each quake: ${joinWithAnd(wanted)}.`,
    often: got.includes('undefined')
      ? 'your code calls onQuake for skipped events as well.'
      : 'your code calls onQuake in a function that React calls twice, such as an updater function passed to setState().',
  })
  drawAll([{ url: server.url }])
  t.transcript.step('the component is rendered without an onQuake')
  await lists(last)
  must(got.length === wanted.length, {
    seen: 'The component was rendered without an onQuake, but when the next quake arrived, the previous onQuake was called.',
    expected: 'Expected the previous onQuake not to be called again.',
    often:
      'your code updates its callback only if there is a new one. Clear the callback when onQuake is undefined.',
  })
  drawAll([])
  t.transcript.step('the component unmounts')
  await waitUntilClosed(page, server, {
    seen: 'The component unmounted, but its connection is still open.',
    expected: 'Expected the connection to be closed.',
  })
  t.transcript.step('a component mounts without an onQuake')
  await asksAgain(page, server, () => drawAll([{ url: server.url }]), {
    seen: 'The component unmounted and another one mounted, but the server got no request.',
    expected: 'Expected a new connection to the server.',
  })
  const told: string[] = []
  drawAll([{ url: server.url, onQuake: (quake) => void told.push(quake.id) }])
  t.transcript.step('the component gets an onQuake')
  await lists(before)
  await page.waitFor(() => told.length > 0, {
    seen: 'A component was rendered without an onQuake, and later with an onQuake. A quake arrived, but the onQuake was not called.',
    expected: 'Expected the onQuake of the latest render to be called.',
    often: 'your code checks only once whether there is an onQuake.',
  })

  function lostMeanwhile(quake: Quake): Story {
    return {
      seen: `The component was rendered with a new onQuake and reconnected, so it missed ${describeQuake(quake)}, which arrived in the meantime.`,
      expected: 'Expected the connection to stay open.',
      often: 'your subscription or your effect depends on onQuake.',
    }
  }
})

check('3.4c', 'the onQuake of each mounted component is called', async (t) => {
  const server = await scriptedServer(t)
  const got: string[] = []
  const { page, watchers, drawAll, connects, lists } = await mount(t, {
    servers: [server],
    strict: true,
  })
  const [before, quake, after] = quakes(3)
  await connects()
  await lists(before)
  const ofFirst = (): void => void got.push('the first')
  const ofOthers = (): void => void got.push('one of the others')
  const follow = (onQuake: () => void): { url: string; onQuake: () => void } => ({
    url: server.url,
    onQuake,
  })
  drawAll([ofFirst, ofOthers, ofOthers].map(follow))
  t.transcript.step('two more components mount, and all three have an onQuake')
  const early = got.length
  must(early === 0, {
    seen: `Components mounted after a quake had arrived, but their onQuake was called ${howOften(early)}.`,
    expected:
      'Expected onQuake to be called only with quakes that arrive after its component has mounted.',
    often: 'your code calls onQuake with each quake in the list when a component mounts.',
  })
  await lists(quake)
  const countOf = (who: string): number => got.filter((one) => one === who).length
  const called = (): Story => ({
    seen: `A quake arrived for three components, and the second and third have the same onQuake. The onQuake of the first component was called ${howOften(countOf('the first'))}, and the shared onQuake ${howOften(countOf('one of the others'))}.`,
    expected:
      'Expected one call for each component: one call to the first onQuake, and two calls to the shared one.',
    often:
      got.length > 3
        ? 'your code calls every onQuake once for each component.'
        : 'your shared connection keeps only one callback, or keeps each function only once, as a Set does.',
  })
  await page.waitFor(() => got.length >= 3, called)
  must(countOf('the first') === 1 && got.length === 3, called())
  drawAll([undefined, follow(ofOthers), follow(ofOthers)])
  t.transcript.step('the first component unmounts')
  await lists(after, { to: watchers[1]! })
  await page.waitFor(() => countOf('one of the others') >= 4, {
    seen: 'The first of three components unmounted, but then the onQuake of the others was not called with the next quake.',
    expected: 'Expected the onQuake of every mounted component to be called.',
  })
  must(countOf('the first') === 1, {
    seen: 'The first of three components unmounted, but when the next quake arrived, the onQuake of that component was still called.',
    expected: 'Expected only the onQuake of mounted components to be called.',
    often:
      'your code adds a callback when a component mounts, but does not remove it when the component unmounts.',
  })
})

edgeCase(
  '3.4d',
  'after an onQuake unmounts its own component, the others are still called',
  async (t) => {
    const [quake] = quakes(1)
    const { page, server, watchers, drawAll, connects, lists } = await mount(t)
    const told: string[] = []
    const stays = { url: server.url, onQuake: ({ id }: Quake) => void told.push(id) }
    const goes = { url: server.url, onQuake: () => drawAll([undefined, stays]) }
    drawAll([goes, stays])
    await connects()
    t.transcript.step('the next quake makes the first component unmount')
    await lists(quake, { to: watchers[1]! })
    await page.waitFor(() => told.length > 0, {
      seen: 'The onQuake of one component unmounted that component, and then the onQuake of another component was not called with the same quake.',
      expected: 'Expected every component that stays mounted to get the quake.',
      often: 'your loop skips a callback when the callback before it is removed from the array.',
    })
    must(deepEqual(told, [quake.id]), {
      seen: `The onQuake of one component unmounted that component, and then the onQuake of another component was called ${howOften(told.length)}.`,
      expected: 'Expected one call to that onQuake for the quake.',
    })
  },
)

edgeCase('3.4e', 'an onQuake that throws does not affect other components', async (t) => {
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
      seen: `The onQuake of one component threw, and then another component did not list ${describeQuake(quake)}.`,
      expected:
        'Expected the quake to be in every list, because the error concerns only one component.',
      often:
        'your listener does not catch errors from onQuake, so the rest of the listener does not run.',
    }
    await lists(quake, { to: watchers[3]!, story })
  }
  const wanted = happened.flatMap(({ id }) => [id, id])
  must(deepEqual(got, wanted), {
    seen: `Three quakes arrived, and the onQuake of two of four components threw. The other two onQuake functions were called ${howOften(got.length)}.`,
    expected: 'Expected 6 calls, two for each quake.',
    often: 'your loop calls every onQuake, but an exception in one of them ends the loop.',
  })
  await showsCounts([3, 3, 0], (told) => ({
    seen: `An onQuake threw for each of three quakes, but the view shows ${told}.`,
    expected: 'Expected 3 quakes in the list, 3 received and 0 skipped.',
  }))
})

edgeCase(
  '3.4f',
  'a retry() from an earlier URL or an unmounted component does nothing',
  async (t) => {
    const [first, second] = [await scriptedServer(t), await scriptedServer(t)]
    const mounted = await mount(t, { servers: [first, second] })
    const { page, watcher, draw, connects, showsStatus } = mounted
    await connects()
    await showsStatus('open', notOpen)
    const { retry: ofFirst } = watcher.view
    draw({ url: second.url })
    await connects(second)
    await showsStatus('open', notOpen)
    await opensNothing(first, ofFirst, 'The component got another URL')
    const { retry: ofSecond } = watcher.view
    draw()
    await opensNothing(second, ofSecond, 'The component unmounted')

    async function opensNothing(
      server: ScriptedServer,
      retry: () => void,
      what: string,
    ): Promise<void> {
      await waitUntilClosed(page, server, {
        seen: `${what}, but the connection is still open.`,
        expected: 'Expected the connection to be closed.',
      })
      t.transcript.step('the retry() of an earlier render is called')
      retry()
      await fence(t)
      must(openConnections(server) === 0, {
        seen: `${what}, but then the retry() from an earlier render opened a connection.`,
        expected: 'Expected no connection, because no component follows that URL any more.',
        often:
          'your retry() keeps the stream of its own render, and reopens that stream although no component follows it.',
      })
    }
  },
)

// 3.5 A burst

/** The number of quakes in a burst, the same as on the lesson page. */
const BURST = 10_000

check('3.5a', '10,000 events cause at most 1,000 renders, and no event is lost', async (t) => {
  const server = await scriptedServer(t)
  const got: string[] = []
  const onQuake = ({ id }: Quake): void => void got.push(id)
  const mounted = await mount(t, { servers: [server], onQuake })
  const { page, watcher, showsStatus } = mounted
  await showsStatus('open', notOpen)
  const before = watcher.renders
  const happened = await burst(mounted, BURST, () => {
    must(watcher.renders - before <= BURST / 10, {
      seen: `A burst of ${BURST} quakes arrived, and the component was rendered more than ${BURST / 10} times.`,
      expected: 'Expected at most one render per ten events, because nobody can see more of them.',
      often:
        'your store notifies React of each event, so React renders synchronously each time, as with flushSync(). Collect the events, and notify React once per frame.',
    })
  })
  t.transcript.step('the component was rendered at most 1,000 times')
  await page.waitFor(() => watcher.view.received >= BURST, {
    seen: () => `A burst of ${BURST} quakes arrived, but received is lower.`,
    expected: 'Expected received to count every quake.',
    often:
      'your code loses quakes that arrive after it has taken the collected quakes, but before the next render.',
  })
  const ids = happened.map(({ id }) => id)
  must(deepEqual(got, ids), {
    seen: `A burst of ${BURST} quakes arrived, but onQuake was called ${got.length > BURST ? 'too often' : got.length < BURST ? 'too rarely' : 'in the wrong order'}.`,
    expected: 'Expected one call to onQuake for each quake, in order.',
    often: 'your code calls onQuake only for quakes that are rendered.',
  })
  must(
    deepEqual(
      watcher.view.quakes.map(({ id }) => id),
      ids.slice(-100).toReversed(),
    ),
    {
      seen: `A burst of ${BURST} quakes arrived, but the list does not consist of the last hundred quakes, newest first.`,
      expected: 'Expected the list to contain the last hundred quakes, newest first.',
      often: 'your code adds the collected quakes to the list in the wrong order.',
    },
  )
})

check('3.5b', 'quakes are shown while more are still arriving', async (t) => {
  // The server sends too many quakes to list each in the transcript.
  const server = await scriptedServer({ ...t, transcript: SILENT })
  const { page, watcher, showsStatus } = await mount(t, { servers: [server] })
  await showsStatus('open', notOpen)
  t.transcript.step('quakes arrive without a pause')
  const source = sourcesOf(server.url).at(-1)!
  const all = quakes(10)
  const told = source.dispatched
  let sent = 0
  const keepSending = (): void => {
    if (source.dispatched - told < sent) return
    server.send(eventOf({ ...all[sent % all.length]!, id: `q${sent}` }))
    sent += 1
  }
  // Look twice, because the first quake may be shown at once even if the others never are. The count depends on the
  // machine, so the message does not contain it.
  for (let times = 0; times < 2; times += 1) {
    const { received } = watcher.view
    await page.waitFor(
      () => {
        keepSending()
        return watcher.view.received > received
      },
      {
        seen: 'Quakes arrived without a pause, but the list did not change.',
        expected:
          'Expected the list to change while quakes are arriving. After a big quake, there may be no pause for minutes.',
        often: 'your timer starts over with each event. Once it is running, let it finish.',
      },
    )
  }
  t.transcript.step('the view changes, and changes again')
})

// 3.6 The component

check('3.6a', 'an element with role="status" shows the status', async (t) => {
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
          ? `The stream is ${word}, but the element with role="status" says "${status()}".`
          : 'The page has no element with role="status".',
      expected: () =>
        `Expected an element with role="status" that says "${word}" and neither of the other two words. Screen readers announce every change to such an element.`,
    })
    t.transcript.step(`the page says "${word}"`)
  }
})

check('3.6b', 'each quake is a list item with its magnitude and place, newest first', async (t) => {
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
      seen: `Three quakes arrived, but the list items are ${joinWithAnd(texts)}.`,
      expected: `Expected these list items: ${joinWithAnd(happened.toReversed().map(describeQuake))}.`,
      often: 'your component reverses the list, which already has the newest quake first.',
    },
  )
  const corrected = { ...happened[1]!, magnitude: 6.25 }
  server.send(eventOf(corrected))
  await page.waitFor(() => itemOf(corrected) !== undefined, {
    seen: () =>
      `A quake arrived again with the magnitude 6.25, but the list items are ${joinWithAnd(items().map(textOf))}.`,
    expected: 'Expected the list item of the quake to show 6.25, because the latest data wins.',
    often:
      'your list item is not rendered again, for example because its memo() compares only the id.',
  })
  happened[1] = corrected
  server.stopAnswering()
  server.cut()
  await page.waitFor(() => says('connecting'), {
    seen: 'The connection was lost, but no element with role="status" says "connecting".',
    expected:
      'Expected the status to be "connecting", because the EventSource is about to reconnect.',
  })
  t.transcript.step('the page says "connecting"')
  const { length } = happened.filter((quake) => itemOf(quake))
  must(length === 3, {
    seen: `The EventSource is reconnecting, but the page shows ${length} of three quakes.`,
    expected: 'Expected all three quakes to stay, because somebody may be reading them.',
    often: 'your component shows the list only while the stream is open.',
  })
})

check('3.6c', 'a list item stays the same element when other quakes arrive', async (t) => {
  const server = await scriptedServer(t)
  const { page, items, itemOf, lists, connects } = await showLiveQuakes(t, server)
  await connects()
  const [first, ...others] = quakesApart(3)
  // Fill the list first. Until it is full, even a key that counts from the end of the list identifies a quake.
  const many = quakes(99).map((quake, n) => ({
    ...quake,
    id: `elsewhere${n}`,
    place: 'elsewhere',
  }))
  server.send(many.map(eventOf).join(''), '99 quakes at once')
  const before = await lists(first)
  for (const quake of others) await lists(quake)
  must(before === itemOf(first), {
    seen: `Two more quakes arrived, and the list item for ${describeQuake(first)} is now a different element.`,
    expected:
      'Expected the element to stay the same, so that a selection, the focus or an animation stays with its quake.',
    often: 'your key contains the index, which changes with each new quake at the top.',
  })
  const corrected = await lists({ ...first, magnitude: 8.75 })
  must(before === corrected, {
    seen: `${describeQuake(first)} arrived again with the magnitude 8.75, and its list item is now a different element.`,
    expected:
      'Expected the element to stay the same, so that a selection, the focus or an animation stays with its quake.',
    often: 'your key changes with the data. Use only the id.',
  })
  // Send many quakes with the same place and magnitude, and one of them twice.
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
    seen: () =>
      `The list has 99 quakes at one place, but the page has ${length()} list items for them.`,
    expected: 'Expected 99 list items, one for each quake.',
    often:
      'your key is not the id, so several list items have the same key. React then mixes up these elements.',
  })
  t.transcript.step('the page has a list item for each quake')
})

check('3.6d', 'a Retry button is shown only while the stream is closed', async (t) => {
  const server = await scriptedServer(t)
  const [before, after] = quakesApart(2)
  server.stopAnswering()
  const { page, itemOf, lists, connects } = await showLiveQuakes(t, server)
  const button = (): HTMLButtonElement | undefined =>
    [...page.body.querySelectorAll('button')].find((each) => /retry/i.test(textOf(each)))
  await connects()
  hasNone('connecting')
  server.resumeAnswering()
  server.send('retry: 10\n\n')
  await lists(before)
  hasNone('open')
  server.answer(500)
  server.cut()
  await page.waitFor(() => server.requests.length > 1, comesBackByItself)
  await page.waitFor(() => button() !== undefined || server.requests.length > 2, {
    seen: () =>
      `The stream is closed, but the page has no Retry button. The page says "${textOf(page.body)}".`,
    expected: 'Expected a Retry button, so that people do not have to reload the page.',
  })
  must(server.requests.length === 2, {
    seen: 'The stream is closed, but the server got another request before "Retry" was pressed.',
    expected: 'Expected no request until "Retry" is pressed.',
    often:
      'your onClick={retry()} calls retry() while React renders, or something other than the button calls retry().',
  })
  await page.waitFor(() => itemOf(before) !== undefined, {
    seen: () => `The stream is closed, but the page says "${textOf(page.body)}".`,
    expected: 'Expected the page to still list the earlier quake, whatever the status is.',
  })
  server.answer(200)
  t.transcript.step('"Retry" is pressed')
  button()!.click()
  await page.waitFor(() => server.requests.length > 2, {
    seen: '"Retry" was pressed, but the server got no request.',
    expected: 'Expected a new connection to the server.',
    often: 'your button has no onClick, or its onClick does not call retry().',
  })
  await lists(after)
  hasNone('open')

  function hasNone(state: string): void {
    must(button() === undefined, {
      seen: `The stream is ${state}, but the page has a Retry button.`,
      expected: 'Expected the Retry button to be shown only while the stream is closed.',
    })
  }
})

edgeCase('3.6e', 'the page shows how many events were skipped', async (t) => {
  const server = await scriptedServer(t)
  const { page, says, lists, connects } = await showLiveQuakes(t, server)
  await connects()
  server.send('data: hello\n\ndata: {\n\n')
  await page.waitFor(() => /\b2 skipped\b/i.test(textOf(page.body)), {
    seen: () => `Two events were not quakes, but the page says "${textOf(page.body)}".`,
    expected:
      'Expected the page to say "2 skipped". Otherwise nobody notices that events are missing.',
  })
  await lists(quakes(1)[0]!)
  fail(sourcesOf(server.url).at(-1)!)
  await page.waitFor(() => says('closed'), notClosed)
  must(/\b2 skipped\b/i.test(textOf(page.body)), {
    seen: `Two events were not quakes and the stream is closed, but the page says "${textOf(page.body)}".`,
    expected: 'Expected the page to say "2 skipped", whatever the status is.',
  })
})

edgeCase('3.6f', 'React reports no error in the console', async (t) => {
  const server = await scriptedServer(t)
  const { itemOf, lists, connects } = await showLiveQuakes(t, server)
  await connects()
  const [first, second] = quakesApart(2)
  for (const quake of [first, second]) await lists(quake)
  // Two different quakes may have the same place, magnitude and time.
  const twin = { ...second, id: `${second.id}-again` }
  server.send(`data: hello\n\n${eventOf(twin)}${eventOf(twin)}`)
  await lists({ ...first, id: 'last', place: 'the last place' })
  must(itemOf(first) !== undefined && reportedByReact.length === 0, {
    seen: `React reported in the console: ${reportedByReact[0]?.split('\n')[0]?.slice(0, 200)}`,
    expected:
      'Expected no errors in the console. React reports mistakes there, even if the page looks right.',
  })
})

edgeCase('3.6g', '<LiveQuakes> shows the new stream when its url changes', async (t) => {
  const [first, second] = [await scriptedServer(t), await scriptedServer(t)]
  const { page, drawAt, itemOf, lists, says, connects } = await showLiveQuakes(t, first, [second])
  await connects()
  const [before, after] = quakesApart(2)
  await lists(before)
  drawAt(second)
  t.transcript.step('<LiveQuakes> gets another url')
  await page.waitFor(() => second.requests.length > 0, {
    seen: '<LiveQuakes> got another url, but the server at that url got no request.',
    expected: 'Expected <LiveQuakes> to show the stream of the new url.',
    often: 'your component keeps using the url from the first render.',
  })
  await lists(after, second)
  await page.waitFor(() => itemOf(before) === undefined && says('open'), {
    seen: '<LiveQuakes> got another url, but the page still shows the list or the status of the old stream.',
    expected: 'Expected the page to show only the new stream.',
  })
})

// 3.7 The tab comes back

check('3.7a', 'a closed stream reopens when the tab becomes visible', async (t) => {
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
    // If the work has closed its connection because the tab is hidden, there is nothing to cut.
    if (server.openResponses > 0) server.cut()
    await page.waitFor(() => openConnections(server) === 0, {
      seen: 'The server answered 500, but the EventSource is not closed.',
      expected: 'Expected the connection to be closed.',
    })
    // Let React render before the tab is shown, because nobody returns within a millisecond.
    await fence(t)
    server.answer(200)
    await asksAgain(page, server, () => showTab(t), {
      seen: `The stream was closed while the tab was hidden. The tab is visible again${n > 0 ? ' for the second time' : ''}, but the server got no request.`,
      expected: 'Expected the stream to reopen without a click.',
      ...(listened === 0
        ? { often: "your code doesn't listen for 'visibilitychange' on the document." }
        : pageListeners('visibilitychange') < listened && {
            often:
              "your code listens for 'visibilitychange' only once. The event fires when the tab is hidden, and again when the tab is visible.",
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
      seen: `The stream was closed while the tab was hidden, and the tab became visible again. This happened ${n} times, but the last time no EventSource was created.`,
      expected: 'Expected a new connection each time.',
    })
  }
  t.transcript.step(`the tab is hidden and shown again ${RETRIES} times`)
  await showsStatus('open', notOpen)
  await showsCounts([3, 3, 0], (told) => ({
    seen: `The tab was hidden and shown again ${RETRIES} times and three quakes arrived, but the view shows ${told}.`,
    expected:
      'Expected 3 quakes in the list, 3 received and 0 skipped. A new connection keeps the list and the counts.',
    often: 'your code starts a new view with each connection.',
  }))
})

check(
  '3.7b',
  'a closed stream stays closed while the tab is hidden, and then reopens only once',
  async (t) => {
    const server = await scriptedServer(t)
    server.answer(500)
    const { page, watcher, lists, showsStatus } = await mount(t, {
      servers: [server],
      timers: t.controlTimers(),
    })
    await showsStatus('closed', notClosed)
    hideTab(t)
    window.dispatchEvent(new window.Event('blur'))
    window.dispatchEvent(new window.Event('online'))
    await page.runPendingTimers()
    await fence(t)
    must(server.requests.length === 1 && sourcesOf(server.url).length === 1, {
      seen: 'The stream was closed and the tab was hidden, but the stream was reopened.',
      expected: 'Expected the stream to stay closed until the tab is visible.',
      often:
        'your listener reconnects on every visibilitychange. The event also fires when the tab is hidden, so check document.visibilityState.',
    })
    server.answer(200)
    showTab(t, { wasFrozen: true })
    await showsStatus('open', {
      seen: 'A frozen tab woke up, but its closed stream was not reopened.',
      expected: 'Expected the stream to reopen.',
    })
    server.send('retry: 10\n\n')
    await lists(quakes(1)[0])
    await page.waitFor(() => server.requests.length === sourcesOf(server.url).length, notOpen)
    const open = openConnections(server)
    must(open === 1, {
      seen: `A frozen tab woke up with the events resume, visibilitychange, pageshow, online and focus, but ${describeConnections(open)} are open.`,
      expected: 'Expected one connection.',
      often: 'your code opens a connection for each event. Check readyState first.',
    })
    // This time, the stream fails while the tab is hidden.
    hideTab(t)
    server.answer(500)
    if (server.openResponses > 0) server.cut()
    await page.waitFor(() => openConnections(server) === 0, {
      seen: 'The server answered 500, but the EventSource is not closed.',
      expected: 'Expected the connection to be closed.',
    })
    const { length } = sourcesOf(server.url)
    await page.runPendingTimers()
    t.transcript.step('all timers of the page fire')
    await fence(t)
    must(sourcesOf(server.url).length === length, {
      seen: 'The stream failed while the tab was hidden, and was reopened before the tab became visible again.',
      expected: 'Expected the stream to stay closed until the tab is visible.',
      often: 'your error listener reopens the stream, immediately or after a delay.',
    })
    must(watcher.view.quakes.length === 1, {
      seen: 'The stream failed while the tab was hidden, and its quake disappeared from the list.',
      expected: 'Expected the list to keep its quakes.',
    })
  },
)

check(
  '3.7c',
  'a stream that is not closed is left alone when the tab becomes visible',
  async (t) => {
    const [before, after, hidden] = quakes(3)
    const { page, server, watcher, connects, lists, showsStatus } = await mount(t, {
      exclusive: true,
    })
    await connects()
    await lists(before)
    hideTab(t)
    // The work may close its stream while the tab is hidden, to save connections.
    const lived = openConnections(server) === 1
    if (lived) {
      deliver(sourcesOf(server.url).at(-1)!, JSON.stringify(hidden))
      t.transcript.step('a quake arrives')
      await fence(t)
    }
    showTab(t, { wasFrozen: true })
    await showsStatus('open', notOpen)
    const asked = (): boolean => server.requests.length === sourcesOf(server.url).length
    await page.waitFor(() => server.openResponses === 1 && asked(), {
      seen: () =>
        `The tab was hidden and shown again, but the server has ${describeConnections(server.openResponses)}.`,
      expected: 'Expected one connection.',
      often:
        'your code creates a new EventSource when the tab is visible, but does not close the old one.',
    })
    if (lived) {
      await page.waitFor(() => watcher.has(hidden), {
        seen: 'A quake arrived while the tab was hidden. The tab is visible again, but the list does not contain the quake.',
        expected:
          'Expected the quake to be in the list, because the connection was open the whole time.',
      })
    }
    await lists(after)
    const wanted = lived ? 3 : 2
    must(watcher.view.quakes.length === wanted && openConnections(server) === 1, {
      seen: `After the tab was hidden and shown again, the list has ${watcher.view.quakes.length} of ${wanted} quakes, and the page has ${describeConnections(openConnections(server))}.`,
      expected: 'Expected every quake to be in the list, and one connection to be open.',
    })
    must(!lived || sourcesOf(server.url).length === 1, {
      seen: `The stream was open the whole time the tab was hidden, but ${sourcesWere(server)} created.`,
      expected:
        'Expected one EventSource. A new connection would miss the quakes that happen before it opens.',
      often: 'your code does not check whether the stream is closed.',
    })
  },
)

check('3.7d', 'after a component unmounts, no connection, listener or timer is left', async (t) => {
  const server = await scriptedServer(t)
  const other = { ...server, url: `${server.url}?min=5` }
  const { draw, drawAll, watcher, connects } = await mount(t, {
    servers: [server, other],
    exclusive: true,
  })
  await connects()
  draw()
  const first = pageListeners()
  drawAll([{ url: server.url }])
  drawAll([])
  must(pageListeners() <= first, {
    seen: 'After a component mounted and unmounted, document and window have more listeners than before.',
    expected:
      'Expected no listeners to be left. A component must remove its listeners when it unmounts.',
    often:
      'your code does not call removeEventListener() with the function that it passed to addEventListener().',
  })
  const timers = trackTimers()
  t.atEnd(timers.stop)
  const silent = { ...t, transcript: SILENT }
  const before = pageListeners()
  const newest = (): BrowserEventSource => sourcesOf(server.url).at(-1)!
  const leave = (): void => drawAll([])
  // Each visit begins with a mounted component, and unmounts it.
  const visits = [
    leave,
    () => {
      fail(newest())
      leave()
      hideTab(silent)
      showTab(silent)
    },
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
    // This visit is last, because any visit after it would close a connection that it leaves open.
    () => {
      hideTab(silent)
      leave()
      showTab(silent)
    },
  ]
  const times = ROUNDS * visits.length
  for (let n = 0; n < times; n += 1) {
    drawAll([{ url: server.url }])
    visits[n % visits.length]!()
  }
  t.transcript.step(`a component mounts and unmounts ${times} times, in ${visits.length} ways`)
  const open = (): number => openConnections(server) + openConnections(other)
  await t.waitFor(() => open() === 0 && server.openResponses === 0, {
    seen: () =>
      `After a component mounted and unmounted ${times} times, ${describeConnections(Math.max(open(), server.openResponses))} ${Math.max(open(), server.openResponses) === 1 ? 'is' : 'are'} still open.`,
    expected:
      'Expected no open connections. A component must close its connection when it unmounts, even in a hidden tab.',
  })
  await t.waitFor(() => pageListeners() <= before, {
    seen: () =>
      `After a component mounted and unmounted ${times} times, document and window have ${pageListeners() - before} more listeners than before.`,
    expected:
      'Expected no listeners to be left. A component must remove its listeners when it unmounts.',
    often:
      'your code does not call removeEventListener() with the function that it passed to addEventListener().',
  })
  await t.waitFor(() => timers.alive() === 0, {
    seen: () =>
      `After a component mounted and unmounted ${times} times, ${timers.alive()} of your timers are still running.`,
    expected: 'Expected no timers to be left. A component must clear its timers when it unmounts.',
    often: 'your code does not clear its intervals.',
  })
})

/** How often each visit is repeated, so that leaks add up. */
const ROUNDS = 4

const notOpen: Story = {
  seen: 'The server answered 200, but the status is not "open".',
  expected: 'Expected the status to be "open".',
}

const comesBackByItself: Story = {
  seen: 'The connection was lost and retry was 10 ms, but the server got no further request.',
  expected: 'Expected the EventSource to reconnect.',
  often: "your code calls close() when 'error' fires, so the EventSource never reconnects.",
}

const notClosed: Story = {
  seen: 'The server answered 500, but the status is not "closed".',
  expected: 'Expected the status to be "closed".',
}

/** Returns `once`, `twice` or `3 times`. */
function howOften(count: number): string {
  return ['0 times', 'once', 'twice'][count] ?? `${count} times`
}

/** Returns `a, b and c`. */
function joinWithAnd(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}
