import { expect } from '@playwright/test'
import { events, quakes } from './react/quakes.ts'
import { test } from './react/stage.ts'
import { openTab } from './react/tabs.ts'

// The checks of lesson 3 use a simulated DOM. These tests verify in a real browser that the solution is right, and that the
// mistakes go wrong.

test('one connection is open under StrictMode, and it closes when the component unmounts', async ({
  serve,
  show,
}) => {
  const opened = async (name: string): Promise<{ shown: number; gone: number }> => {
    const server = await serve()
    const { draw, shows, source, open } = await show(name)
    await draw(server.url)
    // Look at the last connection, because earlier ones may or may not have reached the server.
    await source(1)
    server.send(events(quakes(1)))
    await shows({ ids: ['q0'] })
    const shown = await open()
    await draw(null)
    return { shown, gone: await open() }
  }
  expect(await opened('solution')).toEqual({ shown: 1, gone: 0 })
  expect(await opened('no-cleanup')).toEqual({ shown: 2, gone: 2 })
  expect(await opened('ref-guard')).toEqual({ shown: 1, gone: 1 })
})

test('the status is right: connecting, open, connecting after a kill, and open again', async ({
  serve,
  show,
}) => {
  const server = await serve()
  server.hold()
  const { drawOnce, shows, source, shown, made } = await show('solution')
  await drawOnce(server.url)
  await server.until(() => server.requests === 1)
  await shows({ status: 'connecting' })
  server.letGo()
  await shows({ status: 'open', received: 0 })
  server.send(`retry: 10\n\n${events(quakes(1))}`)
  await shows({ ids: ['q0'] })
  await server.kill()
  await shows({ status: 'connecting' })
  await source(0)
  await server.revive()
  await shows({ status: 'open' })
  server.send(events(quakes(1, 1)))
  await shows({ ids: ['q1', 'q0'] })
  const { statuses } = await shown()
  expect(statuses).toEqual(['connecting', 'open', 'connecting', 'open'])
  expect(await made()).toBe(1)
})

test('the solution keeps the EventSource after an error; a mistake that closes it never reconnects', async ({
  serve,
  show,
}) => {
  const afterACut = async (name: string): Promise<{ status: string; readyState: number }> => {
    const server = await serve()
    const { page, drawOnce, shows, source, shown } = await show(name)
    await drawOnce(server.url)
    await source(1)
    server.send(`retry: 10\n\n${events(quakes(1))}`)
    await shows({ ids: ['q0'] })
    server.hold()
    server.cut()
    await page.waitForFunction(() => window.stage.sources[0]!.readyState !== 1)
    const { status } = await shown()
    return { status, readyState: await page.evaluate(() => window.stage.sources[0]!.readyState) }
  }
  expect(await afterACut('solution')).toEqual({ status: 'connecting', readyState: 0 })
  expect(await afterACut('closes-on-error')).toEqual({ status: 'closed', readyState: 2 })
})

for (const status of [500, 204]) {
  test(`a stream that is answered ${status} is closed, and can be opened again`, async ({
    serve,
    show,
  }) => {
    const server = await serve()
    server.answer(status)
    const { page, shows } = await show('solution')
    await page.evaluate(
      (url) => window.stage.draw([url], { strict: false, live: true }),
      server.url,
    )
    await shows({ status: 'closed' })
    await expect(page.getByRole('status')).toHaveText('closed')
    expect(server.requests).toBe(1)
    server.answer(200)
    await page.getByRole('button', { name: 'Retry' }).click()
    await shows({ status: 'open' })
    await expect(page.getByRole('button', { name: 'Retry' })).toHaveCount(0)
    server.send(events(quakes(1)))
    await shows({ ids: ['q0'] })
    expect(server.requests).toBe(2)
  })
}

test('two mistakes show: treating a 500 as a lost connection, and retrying without a pause', async ({
  serve,
  show,
}) => {
  const server = await serve()
  server.answer(500)
  const lost = await show('error-means-lost')
  await lost.drawOnce(server.url)
  await lost.source(2)
  expect((await lost.shown()).status).toBe('connecting')

  const asked = await serve()
  asked.answer(500)
  const again = await show('asks-again')
  await again.drawOnce(asked.url)
  await asked.until(() => asked.requests > 1)
})

test('invalid data is skipped and counted, and the next quake is shown', async ({
  serve,
  show,
}) => {
  const server = await serve()
  const begin = async (name: string): Promise<Awaited<ReturnType<typeof show>>> => {
    const stage = await show(name)
    await stage.drawOnce(server.url)
    await stage.source(1)
    server.send(`data: {"id": \n\ndata: null\n\ndata: 42\n\n${events(quakes(1))}`)
    return stage
  }
  const { page, shows } = await begin('solution')
  await shows({ ids: ['q0'], received: 1, skipped: 3 })
  expect(await page.evaluate(() => window.stage.errors)).toEqual([])

  const any = await begin('any-json')
  await any.page.waitForFunction(() => window.stage.shown[0]!.received > 0)
  expect((await any.shown()).skipped).toBeLessThan(3)
})

test('an event named "quake" is a quake', async ({ serve, show }) => {
  const ids = async (name: string): Promise<string[]> => {
    const server = await serve()
    const { page, drawOnce, source, shown } = await show(name)
    await drawOnce(server.url)
    await source(1)
    server.send(events(quakes(1), 'quake') + events(quakes(1, 1)))
    await page.waitForFunction(() => window.stage.shown[0]!.ids[0] === 'q1')
    return (await shown()).ids
  }
  expect(await ids('solution')).toEqual(['q1', 'q0'])
  expect(await ids('onmessage-only')).toEqual(['q1'])
})

test('a new URL closes the old stream and ignores its late events', async ({ serve, show }) => {
  const [first, second] = [await serve(), await serve()]
  const { page, drawOnce, source, shows, open } = await show('solution')
  await drawOnce(first.url)
  await source(1)
  first.send(events(quakes(1)))
  await shows({ ids: ['q0'] })
  // No timer or frame runs in between.
  await page.evaluate((url) => {
    const draw = (): void => window.stage.draw([url], { strict: false })
    window.stage.sources[0]!.addEventListener('message', draw, { once: true })
  }, second.url)
  first.send(events(quakes(1, 1)))
  await page.waitForFunction(() => window.stage.sources.length === 2)
  await source(1)
  second.send(events(quakes(1, 2)))
  await shows({ ids: ['q2'] })
  expect(await open()).toBe(1)

  const another = await serve()
  another.hold()
  const mistake = await show('list-stays')
  await mistake.drawOnce(second.url)
  await mistake.source(1)
  second.send(events(quakes(1)))
  await mistake.shows({ ids: ['q0'] })
  await mistake.drawOnce(another.url)
  await another.until(() => another.requests === 1)
  expect(await mistake.shown()).toMatchObject({ ids: ['q0'], status: 'open' })
})

test('a new callback does not reconnect', async ({ serve, show }) => {
  const server = await serve()
  // The page passes a new callback at each render.
  const { drawOnce, source, shows, made } = await show('solution')
  await drawOnce(server.url)
  await source(1)
  await drawOnce(server.url)
  await drawOnce(server.url)
  server.send(events(quakes(1)))
  await shows({ ids: ['q0'], told: ['q0'] })
  expect(await made()).toBe(1)

  const { page, ...mistake } = await show('callback-is-a-dependency')
  await mistake.drawOnce(server.url)
  await mistake.drawOnce(server.url)
  await page.waitForFunction(() => window.stage.sources.length > 2)
})

test('the list has the newest hundred quakes, each only once, even after a reconnect', async ({
  serve,
  show,
}) => {
  const lengths = async (name: string): Promise<number[]> => {
    const server = await serve()
    const { page, drawOnce, source, shows, shown } = await show(name)
    const until = async (id: string): Promise<number> => {
      await page.waitForFunction((newest) => window.stage.shown[0]!.ids[0] === newest, id)
      return (await shown()).ids.length
    }
    await drawOnce(server.url)
    await source(1)
    server.send(`retry: 10\n\n${events(quakes(3))}`)
    await shows({ ids: ['q2', 'q1', 'q0'] })
    server.cut()
    await server.until(() => server.requests === 2)
    server.send(events(quakes(4)))
    const repeated = await until('q3')
    server.send(events(quakes(200, 4)))
    return [repeated, await until('q203')]
  }
  expect(await lengths('solution')).toEqual([4, 100])
  expect(await lengths('looks-at-the-last')).toEqual([7, 100])
  expect(await lengths('keeps-everything')).toEqual([4, 204])
})

test('a list item keeps its DOM element', async ({ serve, show }) => {
  const textOfTheFirst = async (name: string): Promise<string | null> => {
    const server = await serve()
    const { page, source } = await show(name)
    await page.evaluate(
      (url) => window.stage.draw([url], { strict: false, live: true }),
      server.url,
    )
    await source(1)
    server.send(events(quakes(1)))
    const first = (await page.waitForSelector('li'))!
    server.send(events(quakes(1, 1)))
    await expect(page.locator('li')).toHaveCount(2)
    return first.textContent()
  }
  expect(await textOfTheFirst('solution')).toContain('place 0')
  expect(await textOfTheFirst('key-is-the-index')).toContain('place 1')
})

test('a burst of 10,000 loses no quake, but most are never rendered', async ({ serve, show }) => {
  const all = quakes(10_000)
  const burst = async (name: string): Promise<number> => {
    const server = await serve()
    const { page, source, shown } = await show(name)
    await page.evaluate((url) => window.stage.draw([url], { live: true }), server.url)
    await source(1)
    await page.evaluate(() => void window.stage.figures())
    server.send(events(all))
    await page.waitForFunction(() => window.stage.shown[0]!.received === 10_000)
    await page.evaluate(() => new Promise((frame) => requestAnimationFrame(frame)))
    const { renders, longestMs } = await page.evaluate(() => window.stage.figures())
    test.info().annotations.push({
      type: 'measured',
      description: `${name}: ${renders} renders, longest frame ${longestMs} ms`,
    })
    const { ids, told } = await shown()
    expect(told).toEqual(all.map(({ id }) => id))
    expect(ids[0]).toBe('q9999')
    return renders
  }
  expect(await burst('solution')).toBeLessThan(1000)
  expect(await burst('store-tells-each-event')).toBeGreaterThan(1000)
})

test('many components share one connection, and the last one closes it', async ({
  serve,
  show,
}) => {
  const server = await serve()
  const { draw, drawOnce, shows, open } = await show('solution')
  const eight = Array<string>(8).fill(server.url)
  await draw(...eight)
  await shows({ status: 'open' }, 7)
  server.send(events(quakes(1)))
  for (const n of eight.keys()) await shows({ ids: ['q0'], told: ['q0'] }, n)
  expect(await open()).toBe(1)
  await draw(...Array<null>(7).fill(null), server.url)
  server.send(events(quakes(1, 1)))
  await shows({ ids: ['q1', 'q0'] }, 7)
  await drawOnce(null)
  await server.until(() => server.open === 0)

  // In this mistake, each component has its own connection, so the seventh and eighth wait for one of the first six to close.
  const own = await serve()
  const elsewhere = await serve()
  const each = await show('each-its-own')
  await each.drawOnce(...Array<string>(8).fill(own.url))
  await own.until(() => own.requests === 6)
  await each.page.evaluate((url) => void new EventSource(url), elsewhere.url)
  await elsewhere.until(() => elsewhere.requests === 1)
  expect(own.requests).toBe(6)
  expect((await each.shown(7)).status).toBe('connecting')
  await each.drawOnce(null, null, ...Array<string>(6).fill(own.url))
  await each.shows({ status: 'open' }, 7)
})

test('a stream that was closed in a hidden tab opens again when the tab is shown', async ({
  browser,
  serve,
  stageServer,
}) => {
  const backInFront = async (name: string): Promise<void> => {
    const server = await serve()
    const tab = await openTab(browser, new URL('/', stageServer.url).href)
    await tab.until('window.stage !== undefined')
    await tab.evaluate(`stage.use('${name}')`)
    await tab.evaluate(`stage.draw(['${server.url}'], { strict: false })`)
    await tab.until('stage.sources[0]?.readyState === 1')
    server.send('retry: 10\n\n')
    await tab.hide()
    await tab.until(`document.visibilityState === 'hidden'`)
    server.answer(500)
    server.cut()
    await tab.until('stage.sources.at(-1).readyState === 2')
    server.answer(200)
    await tab.show()
    await tab.until(`document.visibilityState === 'visible'`)
    expect(await tab.evaluate('stage.open'), name).toBe(name === 'solution' ? 1 : 0)
    if (name === 'solution') await tab.until(`stage.shown[0].status === 'open'`)
    await tab.close()
  }
  await backInFront('solution')
  await backInFront('asleep')
})

test('a frozen tab has one connection after it wakes up, and keeps working', async ({
  browser,
  serve,
  stageServer,
}) => {
  const server = await serve()
  const tab = await openTab(browser, new URL('/', stageServer.url).href)
  await tab.until('window.stage !== undefined')
  await tab.evaluate(`stage.use('solution')`)
  await tab.evaluate(`stage.draw(['${server.url}'], { strict: false })`)
  await tab.until('stage.sources[0]?.readyState === 1')
  server.send(`retry: 10\n\n${events(quakes(1))}`)
  await tab.until(`stage.shown[0].ids[0] === 'q0'`)
  await tab.evaluate(`window.heard = []; for (const type of ['freeze', 'resume', 'visibilitychange'])
    document.addEventListener(type, () => heard.push(type + ' ' + document.visibilityState))`)
  await tab.hide()
  await tab.until(`document.visibilityState === 'hidden'`)
  await tab.freeze()
  server.cut()
  await server.until(() => server.open === 0)
  await tab.show()
  await server.until(() => server.requests === 2)
  server.send(events(quakes(1, 1)))
  await tab.until(`stage.shown[0].ids[0] === 'q1'`)
  expect(await tab.evaluate('heard')).toEqual([
    'visibilitychange hidden',
    'freeze hidden',
    'resume hidden',
    'visibilitychange visible',
  ])
  expect(await tab.evaluate('stage.sources.length')).toBe(1)
  expect(await tab.evaluate('stage.shown[0].ids.length')).toBe(2)
  await tab.close()
})
