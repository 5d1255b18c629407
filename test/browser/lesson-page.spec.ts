import { readFileSync } from 'node:fs'
import process from 'node:process'
import type { Page } from '@playwright/test'
import { freePort } from '../../workshop/http/ports.ts'
import { scoreInWords, scoreOf } from '../../protocol/score.ts'
import { draw } from '../../workshop/pictures/draw.ts'
import { PICTURES } from '../../workshop/pictures/pictures.ts'
import { checksOf } from '../../workshop/lessons/checks.ts'
import type { Copy } from '../workshop/copy.ts'
import { ALL_LOOKS, expectNoFinding } from './axe.ts'
import { pick } from './pick.ts'
import { openTab } from './react/tabs.ts'
import { expect, test } from './workshop.ts'

test('a learner opens the page, fails, saves, passes and goes to the next lesson; a page that was frozen has every result; axe finds nothing', async ({
  lesson,
  page,
  browser,
}) => {
  await page.setViewportSize({ width: 400, height: 800 })
  const { url, copy } = await lesson(1, 'stubs')
  await page.goto(url)
  await expect(
    page.getByRole('heading', { name: /^Lesson 1 of \d+ A lesson$/, level: 1 }),
  ).toBeVisible()
  await expect(page.getByText('This is the starting point.')).toBeVisible()
  await expect(page.getByText('server.ts is not written yet')).toBeVisible()
  await expectNothingCutOff(page)
  await expectNoFinding(page, 'a stub', ALL_LOOKS)
  await page.getByRole('button', { name: 'Start with task 1.1' }).click()
  await expect(page.getByRole('heading', { name: '1.1 The first task' })).toBeInViewport()
  await page.getByText('Hint 2').first().click()
  await expect(page.getByText('Nearly the code:')).toBeVisible()
  // Freeze the tab, as on a laptop that sleeps.
  const frozen = await openTab(browser, url)
  const text = `(document.body?.innerText ?? '')`
  await frozen.until(`${text}.includes('This is the starting point')`)
  await frozen.hide()
  await frozen.freeze()

  // This server collects all quakes and sends them at the end.
  save(copy, 'server.ts', BUFFERS)
  await expect(
    page.getByRole('heading', { name: /^1\.\d[a-z] failed: .* reaches the client/ }),
  ).toBeVisible()
  await expect(page.getByText('reference', { exact: true })).toBeVisible()
  await expect(page.getByText(/^replay: SEED=\d+ npm test -- lesson1\.\d[a-z]$/)).toBeVisible()
  await page.getByRole('button', { name: 'Connect a client' }).click()
  await pick(page.getByRole('option', { name: /client.*← response \d+ B/ }).last())
  await expect(page.getByRole('button', { name: 'hex' })).toBeVisible()
  await page.getByRole('button', { name: 'Stall', exact: true }).click()
  await expectNoFinding(page, 'a failure, and an arrival', ALL_LOOKS)

  for (const name of ['server.ts', 'client.ts']) save(copy, name, solution(copy, name))
  await expect(page.getByText('Every check has passed.')).toBeVisible()
  const all = scoreOf(checksOf(1).map((check) => ({ ...check, state: 'passed' })))
  await expect(page.getByText(scoreInWords(all), { exact: true })).toBeVisible()
  await frozen.show()
  await frozen.until(`${text}.includes('Every check has passed.')`)
  await frozen.close()
  await page.getByRole('button', { name: 'Next lesson: A lesson', exact: true }).click()
  await expect(page.getByText(/Lesson 2 of \d/)).toBeVisible()
  await expect(page.getByText('This is the starting point.')).toBeVisible()
})

test.describe('without a grade', () => {
  test.use({ isGraded: false })

  test("a lesson's client is shown, and reconnects with its last event ID", async ({
    lesson,
    page,
  }) => {
    const { url } = await lesson(5, 'solutions')
    await page.goto(url)
    await expect(
      page.getByText(/^connected · \d+ quakes? · 0 missed · 0 duplicates$/),
    ).toBeVisible()
    await page.getByRole('button', { name: 'Cut now' }).click()
    await expect(
      page.getByRole('option', { name: /client.*→ last ID \S+, \d+ B/ }).first(),
    ).toBeVisible()
  })

  test('a word of the glossary shows its meaning on hover and on focus; axe finds nothing', async ({
    lesson,
    page,
  }) => {
    const { url } = await lesson(1, 'solutions', README)
    await page.goto(url)
    const word = page.getByText('hop', { exact: true })
    const meaning = page.getByRole('tooltip', { name: 'a program on the way.' })
    await expect(word).toHaveCount(1)
    await expect(meaning).toBeHidden()
    await word.hover()
    await expect(meaning).toBeVisible()
    // It stays while the pointer is on the meaning itself.
    await meaning.hover()
    await expect(meaning).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(meaning).toBeHidden()
    await word.focus()
    await expect(meaning).toBeVisible()
    await expect(word).toHaveAccessibleDescription('a program on the way.')
    await expectNoFinding(page, 'a meaning', ALL_LOOKS)
    await word.blur()
    await expect(meaning).toBeHidden()
  })

  test('the page shows the pictures of the workshop, and no others', async ({ lesson, page }) => {
    const { url, copy } = await lesson(1, 'solutions', README)
    const bell = PICTURES.find(({ name }) => name === 'bell')!
    copy.write('docs/pictures/a-picture.svg', draw(bell))
    await page.goto(url)
    await expect(page.getByRole('img', { name: 'A picture' })).toBeVisible()
    const width = `document.querySelector('.readme img').naturalWidth`
    await expect.poll(() => page.evaluate(width)).toBe(bell.width)
    await expect(page.getByText('Elsewhere', { exact: true })).toBeVisible()
  })

  test('a page recovers from a short loss of the network', async ({ lesson, page, context }) => {
    const { url } = await lesson(1, 'solutions')
    await page.goto(url)
    await context.setOffline(true)
    await context.setOffline(false)
    await connect(page)
  })

  test('the page survives a restart of the workshop without a reload', async ({
    copy,
    workshop,
    page,
  }) => {
    // Use a fixed port, because the restarted workshop must have the same address.
    process.env.PAGE_PORT = String(await freePort())
    const { url, program } = await workshop('lesson', '1')
    await page.goto(url)
    await page.evaluate('window.isTheSame = true')
    await expect(page.getByText('server.ts is not written yet')).toBeVisible()
    program.kill('SIGKILL')
    await expect(page.getByText(/reconnecting/)).toBeVisible()

    for (const name of ['server.ts', 'client.ts']) save(copy, name, solution(copy, name))
    await workshop('lesson', '1')
    delete process.env.PAGE_PORT
    await connect(page)
    expect(await page.evaluate('window.isTheSame')).toBe(true)
  })

  test('the page recovers from an answer that is not a channel, without duplicate entries', async ({
    lesson,
    page,
    context,
  }) => {
    const { url } = await lesson(1, 'solutions')
    await page.goto(url)
    await connect(page)
    await leave(page)
    await expect(page.getByRole('option', { name: LEFT }).first()).toBeVisible()
    const blink = async (): Promise<void> => {
      await context.setOffline(true)
      await context.setOffline(false)
    }
    for (const status of [404, 204]) {
      await page.route('**/channel', (route) => route.fulfill({ status }), { times: 1 })
      await blink()
      await expect(page.getByText(/reconnecting/)).toBeVisible()
      // The page would wait for a while before it reconnects, but the network is back.
      await blink()
      await expect(page.getByText(/reconnecting/)).toBeHidden()
    }
    // New entries follow all earlier ones.
    await page.getByRole('button', { name: 'Connect a client' }).click()
    await expect(page.getByRole('option', { name: /#2 .*opened/ })).toBeVisible()
    await expect(page.getByRole('option', { name: /#1 .*opened/ })).toHaveCount(1)
  })

  test('an arrival shows its bytes, chunks and event', async ({ lesson, page }) => {
    const { url } = await lesson(2, 'solutions')
    await page.goto(url)
    await expect(page.getByText('Nothing has crossed the wire yet')).toBeVisible()
    await connect(page)
    // The head may arrive together with the first bytes of the body, and be as long as an event.
    await expect(page.getByText(/reading · \d\d/)).toBeVisible()
    await pick(page.getByRole('option', { name: /client.*← response 2\d\d B/ }).first())
    const arrival = page.getByRole('region', { name: 'The selected arrival' })
    await expect(arrival.getByRole('heading').first()).toHaveText(
      /^← response · 2\d\d B at \d+\.\d{3} s · server → client, seen at the client · GET \/events, #1$/,
    )
    await expect(arrival).toContainText(/\[[0-9a-f]+␍␊\]id: .*␊.*data: \{.*\}␊.*␊.*\[␍␊\]/s)
    await expect(arrival.getByRole('heading', { name: 'event', exact: true })).toBeVisible()
    await arrival.getByRole('button', { name: 'hex' }).click()
    await expect(arrival).toContainText(/31 30 .*0d 0a|0d 0a/)
  })

  test('a cut is shown as a cut, but a disconnect is not', async ({ lesson, page }) => {
    const { url } = await lesson(2, 'solutions')
    await page.goto(url)
    await connect(page)
    await leave(page)
    await expect(page.getByText('disconnected ·')).toBeVisible()
    await expect(page.getByRole('option', { name: /#1 .*client in the middle/ })).toBeVisible()
    await connect(page)
    await page.getByRole('button', { name: 'Cut now' }).click()
    await expect(page.getByRole('option', { name: /^.*Cut the connection$/ })).toBeVisible()
    await expect(page.getByRole('option', { name: /#2 .*✕.*the client sees a cut/ })).toBeVisible()
    await expect(page.getByText('The connection was lost.')).toBeVisible()
  })

  test('the page keeps working if the server crashes, loops or never answers', async ({
    lesson,
    page,
  }) => {
    const { url, copy } = await lesson(1, 'stubs')
    await page.goto(url)
    save(copy, 'server.ts', `throw new Error('on purpose')`)
    await expect(page.getByText('server.ts is down')).toBeVisible()
    save(copy, 'server.ts', 'console.log("round and round"); for (;;) {}')
    await expect(page.getByText('server.ts prints: round and round')).toBeVisible()
    save(copy, 'server.ts', SILENT)
    await expect(page.getByText('server.ts is running')).toBeVisible()
    await page.getByRole('button', { name: 'Connect a client' }).click()
    await expect(page.getByText('connecting · 0 quakes')).toBeVisible()
    save(copy, 'server.ts', solution(copy, 'server.ts'))
    // The silent server has ended, so the next server that runs is the other one.
    await expect(page.getByText('The connection was lost.')).toBeVisible()
    await connect(page)
  })

  test('the chart uses the chosen colours', async ({ lesson, page }) => {
    const { url } = await lesson(2, 'solutions')
    await page.emulateMedia({ colorScheme: 'light' })
    await page.goto(url)
    const colours = page.getByRole('button', { name: /^Colours/ })
    const light = await axisColour(page)
    await colours.click()
    await expect(colours).toContainText('dark')
    await expect.poll(() => axisColour(page)).not.toBe(light)
    await colours.click()
    await expect.poll(() => axisColour(page)).toBe(light)
    await colours.click()
    await page.emulateMedia({ colorScheme: 'dark' })
    await expect.poll(() => axisColour(page)).not.toBe(light)
  })

  test('the selected entry stays visible while zooming', async ({ lesson, page }) => {
    const { url } = await lesson(2, 'solutions')
    await page.goto(url)
    await connect(page)
    await pick(page.getByRole('option', { name: /client.*← response 2\d\d B/ }).first())
    const list = page.getByRole('listbox', { name: 'Latest entries' })
    const selected = list.getByRole('option', { selected: true })
    for (const name of ['Zoom in', 'Zoom out']) {
      for (let times = 0; times < 6; times += 1) await page.getByRole('button', { name }).click()
      await expect(selected).toBeInViewport()
    }
  })

  test('the list of latest entries holds still under the pointer, and then follows again', async ({
    lesson,
    page,
  }) => {
    const { url } = await lesson(2, 'solutions')
    await page.goto(url)
    await connect(page)
    const list = page.getByRole('listbox', { name: 'Latest entries' })
    await expect(list.getByRole('option').first()).toBeVisible()
    await list.hover()
    const came = page.getByText(/\d+ new entr(y|ies) below/)
    const words = (await came.textContent())!
    const newest = (await list.getByRole('option').first().textContent())!
    await expect(came).not.toHaveText(words)
    await expect(list.getByRole('option').first()).toHaveText(newest)
    await page.getByRole('button', { name: 'Show the newest' }).click()
    await expect(list.getByRole('option').first()).not.toHaveText(newest)

    const end = (): Promise<number> => list.evaluate(({ scrollTop }) => Math.round(scrollTop))
    // While the pointer is in the list, no entries are added.
    const spare = (): Promise<number> =>
      list.evaluate(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight)
    await expect.poll(spare).toBeGreaterThan(80)
    await expect(async () => {
      await list.hover()
      await page.mouse.wheel(0, -80)
      expect(await end()).toBeLessThan(0)
    }).toPass()
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByRole('button', { name: 'Follow' }).click()
    await expect.poll(end).toBe(0)
  })

  test('the workshop has a lane only while it is needed, and one connection can be selected', async ({
    lesson,
    page,
  }) => {
    const { url, copy } = await lesson(1, 'stubs')
    await page.goto(url)
    await expect(page.getByText('server.ts is not written yet')).toBeVisible()
    await page.getByRole('button', { name: 'Connect a client' }).click()
    await expect(page.getByRole('option', { name: /workshop.*← response/ }).first()).toBeVisible()
    await expect.poll(() => lanes(page)).toBe(3)
    await page.getByRole('button', { name: 'Clear' }).click()
    await expect(page.getByText('Nothing has crossed the wire since you cleared it.')).toBeVisible()
    await expect.poll(() => lanes(page)).toBe(2)

    save(copy, 'server.ts', solution(copy, 'server.ts'))
    await connect(page)
    await leave(page)
    await expect(page.getByText('disconnected ·')).toBeVisible()
    await connect(page)
    await page.getByRole('combobox', { name: 'Connection' }).selectOption('GET /quakes.ndjson, #2')
    await expect(page.getByText(/^\d+ entries of #2 · paused$/)).toBeVisible()
    const options = page.getByRole('option', { name: /#\d/ }).filter({ hasText: /\d s/ })
    await expect(options.filter({ hasText: '#2' }).first()).toContainText(LEFT)
    await expect(options.filter({ hasText: '#3' })).toHaveCount(0)
  })

  test('the page can be used with only the keyboard', async ({ lesson, page }) => {
    const { url } = await lesson(2, 'solutions')
    await page.goto(url)
    await expect(page.getByText('server.ts is running')).toBeVisible()
    await tabTo(page, 'button', 'Connect a client')
    await page.keyboard.press('Enter')
    await expect(page.getByText(/reading · [1-9]/)).toBeVisible()
    await tabTo(page, 'button', 'Stall')
    await page.keyboard.press('Space')
    await tabTo(page, 'listbox', 'Latest entries')
    // Wait for an entry, because the list is updated only a few times a second, and an empty list has no entry to select.
    const last = page.getByRole('listbox', { name: 'Latest entries' })
    await expect(last.getByRole('option')).not.toHaveCount(0)
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('ArrowUp')
    const arrival = page.getByRole('region', { name: 'The selected arrival' })
    await expect(arrival.getByRole('heading')).not.toHaveCount(0)
  })

  test('a README cannot run scripts', async ({ lesson, page }) => {
    const readme = [
      '# Lesson 1: Raw chunks',
      '### 1.1 A task',
      '<script>window.hacked = 1</script>',
      '<img src=x onerror="window.hacked = 2">',
      '<a href="javascript:window.hacked=3">a link</a>',
      '<iframe srcdoc="<script>parent.hacked = 4</script>"></iframe>',
      '<form action="/do" method="post"><input name="do" value="reset"></form>',
      '[another](javascript:window.hacked=5)',
      '<details open><summary>Hint 1</summary>the end</details>',
    ].join('\n\n')
    const { url } = await lesson(1, 'stubs', readme)
    await page.goto(url)
    await expect(page.getByText('the end')).toBeVisible()
    const instructions = page.getByRole('region', { name: 'Instructions' })
    for (const name of ['a link', 'another']) {
      const link = page.getByText(name, { exact: true })
      expect(await link.evaluate((element) => element.closest('a')?.href ?? '')).not.toMatch(
        /^java/,
      )
    }
    expect(await instructions.locator('iframe, [action], [onerror], script').count()).toBe(0)
    expect(await page.evaluate('window.hacked')).toBeUndefined()
  })
})

/** Matches the wire's text for a disconnect. TCP resets a connection that is closed while it has unread data. */
const LEFT = /(closed|reset) by the client/

/** A server that answers only at the end of the feed, which never ends. */
const BUFFERS = `
  import express from 'express'
  export function createApp(feed) {
    return express().get('/quakes.ndjson', async (req, res) => {
      const visit = new AbortController()
      res.on('close', () => visit.abort())
      res.set('Content-Type', 'application/x-ndjson').flushHeaders()
      let all = ''
      for await (const quake of feed.open(visit.signal)) all += JSON.stringify(quake) + '\\n'
      res.end(all)
    })
  }
`

const SILENT = `
  import express from 'express'
  export const createApp = () => express().use(() => {})
`

function save(copy: Copy, name: string, text: string): void {
  copy.write(`lessons/01-raw-chunks/${name}`, text)
}

function solution(copy: Copy, name: string): string {
  return readFileSync(copy.path('solutions/01-raw-chunks', name), 'utf8')
}

/** Expects that nothing is cut off in a narrow window. */
async function expectNothingCutOff(page: Page): Promise<void> {
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(400)
  for (const name of ['Connect a client', 'Cut now', 'Grade now']) {
    await page.getByRole('button', { name }).scrollIntoViewIfNeeded()
    await expect(page.getByRole('button', { name })).toBeInViewport({ ratio: 1 })
  }
}

/** Connects a client and waits until it reads quakes. */
async function connect(page: Page): Promise<void> {
  await expect(page.getByText('server.ts is running')).toBeVisible()
  await page.getByRole('button', { name: 'Connect a client' }).click()
  await expect(page.getByText(/reading · [1-9]/)).toBeVisible()
}

/** Disconnects the connected client. */
async function leave(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Disconnect client \d+$/ }).click()
}

/** Presses Tab until the named element has the focus. */
async function tabTo(page: Page, role: 'button' | 'listbox', name: string): Promise<void> {
  const wanted = page.getByRole(role, { name, exact: true })
  for (let tabs = 0; tabs < 200; tabs += 1) {
    await page.keyboard.press('Tab')
    if (await wanted.evaluate((element) => element === document.activeElement)) return
  }
  throw new Error(`Tab does not come to ${role} "${name}"`)
}

/** Returns the number of lanes for which the chart has labels. */
async function lanes(page: Page): Promise<number> {
  return (await namesOfLanes(page)).lanes
}

async function axisColour(page: Page): Promise<string> {
  return (await namesOfLanes(page)).colour
}

/** Analyses the canvas left of the lanes: the number of labels and their colour. */
function namesOfLanes(page: Page): Promise<{ lanes: number; colour: string }> {
  return page.locator('#chart canvas').evaluate((canvas: HTMLCanvasElement) => {
    const width = 66
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, width, canvas.height - 30)
    let words = 0
    let colour = ''
    let wasInked = false
    for (let row = 0; row * width * 4 < data.length; row += 1) {
      let isInked = false
      for (let pixel = row * width; pixel < (row + 1) * width; pixel += 1) {
        const [red, green, blue, alpha] = data.subarray(pixel * 4)
        if (alpha! > 0) isInked = true
        if (alpha === 255) colour = `${red} ${green} ${blue}`
      }
      if (isInked && !wasInked) words += 1
      wasInked = isInked
    }
    return { lanes: words, colour }
  })
}

const README = `# Lesson 1: A lesson

<details>
<summary>Words</summary>

- **Hop**: a program on the way.

</details>

## Tasks

### 1.1 The first task

Each hop may wait.

![A picture](../../docs/pictures/a-picture.svg)

![Elsewhere](https://example.org/elsewhere.svg)
`
