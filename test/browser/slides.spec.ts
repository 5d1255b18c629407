import { readFileSync } from 'node:fs'
import type { Locator, Page } from '@playwright/test'
import { expect, test } from '@playwright/test'
import decodeQR from 'qr/decode.js'
import { readDeck } from '../../workshop/slides/deck.ts'
import { handoutIn, pdf } from '../../workshop/slides/pdf.ts'
import { slidesServer, type SlidesServer } from '../../workshop/slides/server.ts'
import { areQuotesOfLessonsLost } from '../workshop/quotes-of-lessons.ts'
import { COLOUR_RULES, findings } from './axe.ts'
import { outsideOfSlide } from './outside-of-slide.ts'

// All tests share one deck and walk through it only once per aspect ratio, because a browser is slow.

// Skip if a learner has deleted files that slides quote, because the slides then show that problem. In CI, nothing is skipped.
test.skip(areQuotesOfLessonsLost())

let slides: SlidesServer
test.beforeAll(async () => {
  slides = await slidesServer({ ports: [0] })
})
test.afterAll(() => slides.close())

test('every slide fits at 16:9 and at 4:3, without errors', async ({ page }) => {
  const problems = problemsOf(page)
  await page.goto(slides.url)
  await expect(page.locator('.reveal.ready')).toBeVisible()
  for (const size of [
    { width: 1280, height: 720 },
    { width: 1024, height: 768 },
  ]) {
    await page.setViewportSize(size)
    for (const place of places()) {
      const outside = await page.evaluate(outsideOfSlide, place)
      expect
        .soft(outside, `${place.name}, ${size.width} px: what is outside of the slide`)
        .toEqual([])
    }
  }
  // At 4K, the deck fills the screen.
  await page.setViewportSize({ width: 3840, height: 2160 })
  await expect.poll(() => page.evaluate(widthOfSlide)).toBe(3840)
  expect(problems).toEqual([])
})

test('code is large enough to be read from afar, and every character comes from the fonts of the deck', async ({
  page,
}) => {
  await page.goto(`${slides.url}/?print-pdf`)
  await expect(page.locator('.pdf-page')).toHaveCount(places().length)
  await page.evaluate('document.fonts.ready')
  expect(await page.evaluate(smallCode)).toEqual([])
  expect(await strangeFonts(page)).toEqual([])
})

test('axe finds nothing on any slide, in light or dark colours', async ({ page }) => {
  // Look at all slides at once first, in the print view.
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme })
    await page.goto(`${slides.url}/?print-pdf`)
    await expect(page.locator('.pdf-page')).toHaveCount(places().length)
    // The other rules do not depend on colours.
    const rules = colorScheme === 'light' ? undefined : COLOUR_RULES
    expect
      .soft(await findings(page, '.slides', rules), `as they are printed, ${colorScheme}`)
      .toEqual([])
  }
  // Then look at the slides with controls.
  await page.goto(slides.url)
  await expect(page.locator('.reveal.ready')).toBeVisible()
  for (const what of ['countdown', 'wire']) {
    await goTo(
      page,
      places().find(({ text }) => text.includes(`\`\`\`${what}`))!,
    )
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme })
      expect
        .soft(await findings(page, PRESENT), `a slide with a ${what}, ${colorScheme}`)
        .toEqual([])
    }
  }
})

test('the speaker view has the notes, the next slide, and the remaining time for this slide', async ({
  page,
}) => {
  await page.goto(slides.url)
  await expect(page.locator('.reveal.ready')).toBeVisible()
  const opened = page.waitForEvent('popup')
  await page.keyboard.press('s')
  const speaker = await opened
  const [first, second] = readDeck().chapters[0]!.slides
  const notes = speaker.locator('.speaker-controls-notes .value')
  await expect(notes).toContainText(firstWords(first!.notes))
  await expect(speaker.locator('.pacing')).toBeVisible()
  await expect(
    speaker.frameLocator('#upcoming-slide iframe').locator('section.present section.present h2'),
  ).toHaveText(second!.text.match(/^## (.*)$/m)![1]!)
  await page.keyboard.press('ArrowRight')
  await expect(notes).toContainText(firstWords(second!.notes))

  // The speaker view shows the running countdown and the running program.
  const current = speaker.frameLocator('#current-slide iframe')
  await goTo(page, placeOf('```countdown'))
  await page.getByRole('button', { name: 'Start' }).click()
  await expect(current.locator(PRESENT).getByRole('timer')).toHaveText(/^4:5\d$/)
  await goTo(page, placeOf('```wire \nhow-to-read'))
  await page.getByRole('button', { name: 'Run' }).click()
  const program = current.frameLocator(`${PRESENT} iframe`)
  await expect(program.getByText('feed open for 1 reader')).toBeVisible()
  await expect(program.getByRole('button')).toHaveCount(0)
  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(current.locator(`${PRESENT} iframe`)).toHaveCount(0)
})

test('a slide runs its program, shows its wire, and stops it when the deck moves on', async ({
  page,
}) => {
  const problems = problemsOf(page)
  await page.goto(slides.url)
  await expect(page.locator('.reveal.ready')).toBeVisible()
  await goTo(page, placeOf('```wire guess\nheld'))
  const channel = await heldChannel(page)
  await page.getByRole('button', { name: 'Run' }).click()
  const program = page.frameLocator(`${PRESENT} iframe`)
  await channel.isAskedFor
  // When the frame responds, it has sent the requests with which it loads. Before that, the program has no viewer, and
  // could be stopped together with the previous program.
  await program.locator('body').evaluate('0')
  expect(channel.askedFor).not.toContain('/do')
  channel.letGo()
  await expect(program.getByText('feed open for 1 reader')).toBeVisible()
  await expect(program.getByText(/client 1: /)).toBeVisible()
  await program.getByRole('button', { name: 'Burst' }).click()
  await expect(program.getByText(/client 1: reading, [\d,]+ quakes/)).toBeVisible()
  await program.getByRole('button', { name: 'Cut' }).click()
  await expect(program.getByText(/client 1: cut/)).toBeVisible()
  await program.getByRole('button', { name: 'Proxy', pressed: true }).click()
  await expect(program.getByRole('button', { name: 'Proxy', pressed: false })).toBeVisible()
  // The focus is in the frame, but the keys are for the deck.
  await page.keyboard.press('b')
  await expect(page.locator('.reveal.paused')).toBeVisible()
  await page.keyboard.press('b')
  await expect(page.locator('.reveal.paused')).toHaveCount(0)
  // The first press shows the recording's texts, and the program runs on.
  await page.keyboard.press('PageDown')
  await expect(page.locator('iframe')).toHaveCount(1)
  // This key removes the frame. On rare occasions the browser never
  // confirms such a key press, so wait for its effect instead.
  void page.keyboard.press('PageDown').catch(() => {})
  await expect(page.locator('iframe')).toHaveCount(0)
  expect(problems).toEqual([])
})

test('a running program takes the place of the recording, so that nothing moves and the bytes stay', async ({
  page,
}) => {
  await page.goto(slides.url)
  await expect(page.locator('.reveal.ready')).toBeVisible()
  for (const name of ['how-to-read', 'lines']) {
    const place = placeOf(`\`\`\`wire \n${name}`)
    await goTo(page, place)
    await expect(page.locator(`${PRESENT} canvas`)).toBeVisible()
    const last = page.locator(`${PRESENT} .sheet > :last-child, ${PRESENT} .bytes`).last()
    const before = await last.boundingBox()
    await page.getByRole('button', { name: 'Run' }).click()
    await expect(page.locator(`${PRESENT} iframe`)).toBeVisible()
    expect(await last.boundingBox()).toEqual(before)
    expect(await page.evaluate(outsideOfSlide, place)).toEqual([])
  }
})

test('a slide to guess shows its recording at a click, also to followers, and a program that runs before', async ({
  page,
  context,
}) => {
  const follower = await context.newPage()
  await page.goto(slides.url)
  await expect(page.locator('.reveal.ready')).toBeVisible()
  await follower.goto(slides.followersUrls[0]!)
  await goTo(page, placeOf('```wire guess\nheld'))
  const [mine, theirs] = [page, follower].map((each) => each.locator(PRESENT))
  await expect(mine!.getByText('When does the first quake arrive?')).toBeVisible()
  await expect(mine!.locator('canvas')).toBeHidden()
  await page.getByRole('button', { name: 'Run' }).click()
  await expect(mine!.locator('iframe')).toBeVisible()
  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(mine!.locator('canvas')).toBeHidden()
  await expect(theirs!.locator('canvas')).toBeHidden()
  await page.keyboard.press('ArrowRight')
  for (const slide of [mine, theirs]) {
    await expect(slide!.locator('canvas')).toBeVisible()
    await expect(slide!.getByRole('img', { name: 'Broken: proxy' })).toBeVisible()
  }
})

test('a debrief goes from the mistake over the message to the fix', async ({ page }) => {
  await page.goto(slides.url)
  await expect(page.locator('.reveal.ready')).toBeVisible()
  await goTo(page, placeOf('## A timer that starts over'))
  const blocks = page.locator(PRESENT).locator('.listing')
  const isShown = () =>
    blocks.evaluateAll((all) =>
      all.map((each) => each.checkVisibility({ visibilityProperty: true })),
    )
  await expect.poll(isShown).toEqual([true, false, false])
  await page.keyboard.press('ArrowRight')
  await expect.poll(isShown).toEqual([true, true, false])
  await page.keyboard.press('ArrowRight')
  await expect.poll(isShown).toEqual([true, true, true])
  await expect(page.locator(PRESENT).locator('mark')).toHaveText([
    'timer = setTimeout(show, QUIET_MS)',
    'timer ??= setTimeout(show, FRAME_MS)',
  ])
})

test('in the first minute, the server sends, the client gets nothing, and then everything arrives at once', async ({
  page,
}) => {
  await page.clock.install()
  await page.goto(slides.url)
  await expect(page.locator('.reveal.ready')).toBeVisible()
  await goTo(page, placeOf('```terminals'))
  const [server, client] = [0, 1].map((index) =>
    page.locator(PRESENT).locator('.terminal').nth(index),
  )
  await page.getByRole('button', { name: 'Play' }).click()
  await page.clock.runFor(4900)
  await expect(server!).toContainText('data: {"id"')
  await expect(client!).not.toContainText('data:')
  await page.clock.runFor(400)
  await expect(client!).toContainText(/(data: .*\n){13}/)
})

test('a follower follows the instructor, browses on their own, and returns', async ({
  page,
  context,
}) => {
  const [url] = slides.followersUrls
  const follower = await context.newPage()
  const problems = problemsOf(follower)
  await page.goto(slides.url)
  await expect(page.locator('.reveal.ready')).toBeVisible()
  await page.keyboard.press('ArrowRight')
  await follower.goto(url!)
  const [, second, third] = places().map(({ text }) => /^##? (.*)$/m.exec(text)![1]!)
  await expect(title(follower)).toHaveText(second!)
  await page.keyboard.press('ArrowRight')
  await expect(title(follower)).toHaveText(third!)
  await expect(follower.getByText('with the instructor')).toBeVisible()
  await expect(follower.getByRole('button', { name: /Run|Start/ })).toHaveCount(0)

  await follower.keyboard.press('ArrowLeft')
  await expect(follower.getByText('looking around')).toBeVisible()
  await page.keyboard.press('ArrowLeft')
  await page.keyboard.press('ArrowLeft')
  await expect(title(follower)).toHaveText(second!)
  await follower.getByRole('button', { name: 'Back to the instructor' }).click()
  await expect(title(follower)).toHaveText('Tremor')
  await page.keyboard.press('ArrowRight')
  await expect(title(follower)).toHaveText(second!)
  expect(await findings(follower, 'body')).toEqual([])
  expect(problems).toEqual([])
})

test('a portrait phone keeps the slide of the instructor, and sees programs, countdowns and a blank screen', async ({
  page,
  browser,
}) => {
  const served = await slidesServer({ ports: [0] })
  const context = await browser.newContext({
    viewport: { width: 390, height: 844 },
    isMobile: true,
    hasTouch: true,
  })
  try {
    const phone = await context.newPage()
    await page.goto(served.url)
    await expect(page.locator('.reveal.ready')).toBeVisible()
    await phone.goto(served.followersUrls[0]!)
    const titled = places().filter(({ text }) => /^##? [\w ]+$/m.test(text))
    for (let jump = 0; jump < 10; jump += 1) {
      const place = titled[(jump * 17) % titled.length]!
      await goTo(page, place)
      await expect(title(phone)).toHaveText(/^##? ([\w ]+)$/m.exec(place.text)![1]!)
      await expect(title(phone)).toBeInViewport({ ratio: 1 })
    }

    await goTo(page, placeOf('```countdown'))
    await page.getByRole('button', { name: 'Start' }).click()
    await expect(phone.locator(PRESENT).getByRole('timer')).toHaveText(/^4:5\d$/)
    await goTo(page, placeOf('```wire \nhow-to-read'))
    await expect(phone.locator('.following').getByRole('timer')).toHaveText(/^4:/)
    await page.getByRole('button', { name: 'Run' }).click()
    const program = phone.frameLocator(`${PRESENT} iframe`)
    await expect(program.getByText('feed open for 1 reader')).toBeVisible()
    await expect(program.getByRole('button')).toHaveCount(0)
    await page.keyboard.press('b')
    await expect(phone.getByText('The instructor has blanked the screen.')).toBeVisible()
    await page.keyboard.press('b')
    await expect(phone.getByText('with the instructor')).toBeVisible()
    expect(await findings(phone, 'body')).toEqual([])
    await served.close()
    await expect(phone.getByText('The deck does not answer.')).toBeVisible()
  } finally {
    await context.close()
    await served.close().catch(() => {})
  }
})

test('after a restart of the deck, everybody is back on the same slide', async ({
  page,
  context,
}) => {
  const code = 'KMXTRA'
  let served = await slidesServer({ ports: [0], code })
  try {
    const follower = await context.newPage()
    await page.goto(served.url)
    await expect(page.locator('.reveal.ready')).toBeVisible()
    const place = placeOf('```countdown')
    await goTo(page, place)
    const theirs = `http://127.0.0.1:${served.followersPort}/${code}/`
    await follower.goto(theirs)
    const [, its = ''] = /^## (.*)$/m.exec(place.text)!
    await expect(title(follower)).toHaveText(its)

    const ports = [served.url, served.demosUrl, theirs].map((url) => Number(new URL(url).port))
    await served.close()
    await expect(follower.getByText('The deck does not answer.')).toBeVisible()
    served = await slidesServer({ ports, code })
    await expect(follower.getByText('with the instructor')).toBeVisible()
    // The instructor has not moved, but somebody who joins now sees the same slide.
    const late = await context.newPage()
    await late.goto(theirs)
    await expect(title(late)).toHaveText(its)
    await expect(title(follower)).toHaveText(its)
  } finally {
    await served.close()
  }
})

test('a key shows the address, the join code and a QR code over any slide', async ({ page }) => {
  // The machine that runs the tests may have no network.
  const shared = await slidesServer({ ports: [0], code: 'KMXTRA', hosts: ['192.0.2.7'] })
  try {
    await page.goto(shared.url)
    await expect(page.locator('.reveal.ready')).toBeVisible()
    await goTo(page, placeOf('```countdown'))
    await page.keyboard.press('c')
    const dialog = page.getByRole('dialog')
    await expect(dialog.getByText('KMXTRA')).toBeVisible()
    await expect(dialog.getByText(new URL(shared.followersUrls[0]!).host)).toBeVisible()
    const { data, ...size } = await dialog.locator('.qr').evaluate(pixelsOf)
    expect(decodeQR({ ...size, data: Uint8Array.from(data) })).toBe(
      `${shared.followersUrls[0]}/KMXTRA/`,
    )
    expect(await findings(page, '[role=dialog]')).toEqual([])
    await page.keyboard.press('c')
    await expect(dialog).toHaveCount(0)
  } finally {
    await shared.close()
  }
})

test('entering the code lets you follow', async ({ page }) => {
  const shared = await slidesServer({ ports: [0], code: 'KMXTRA' })
  try {
    const problems = problemsOf(page)
    await page.goto(`http://127.0.0.1:${shared.followersPort}/`)
    expect(await findings(page, 'body')).toEqual([])
    await page.getByLabel('The code on the screen').fill('kmxtrb')
    await page.keyboard.press('Enter')
    await expect(page.getByRole('alert')).toContainText('This is not the code.')
    expect(await findings(page, 'body')).toEqual([])
    // The browser reports the refusal.
    problems.length = 0
    await page.getByLabel('The code on the screen').fill('kmxtra')
    await page.keyboard.press('Enter')
    shared.leader.show({ position: { h: 0, v: 2, f: -1 }, isBlank: false })
    await expect(title(page)).toHaveText(/^What you will/)
    await expect(page).toHaveURL(/\/KMXTRA\/$/)
    expect(problems).toEqual([])
  } finally {
    await shared.close()
  }
})

test('the handout has a page and a bookmark for each slide', async () => {
  const file = test.info().outputPath('hand-out ü.pdf')
  expect(await pdf({ hasNotes: false, file })).toBe(0)
  expect(pagesOf(file)).toBe(places().length)
  // One title is that of the document.
  expect(readFileSync(file, 'latin1').match(/\/Title\b/g)).toHaveLength(places().length + 1)
})

test('the handout of a lesson has only its slides and, on request, their notes', async () => {
  const file = test.info().outputPath('lesson1.pdf')
  const handout = handoutIn(['lesson1', 'notes', file])
  expect(handout).toEqual({ lesson: 1, hasNotes: true, file })
  expect(await pdf(handout as Exclude<typeof handout, string>)).toBe(0)
  const lesson = readDeck().chapters.find(({ name }) => name.startsWith('01-'))!
  const notes = lesson.slides.filter((slide) => slide.notes !== '')
  expect(pagesOf(file)).toBe(lesson.slides.length + notes.length)
})

const SCHEMES = ['light', 'dark'] as const

/** Returns the current slide. */
const PRESENT = 'section.present section.present'

function title(page: Page): Locator {
  return page.locator(PRESENT).locator('h1, h2')
}

/** The position of a slide, with the slide's name in error messages. */
type SlidePosition = { h: number; v: number; name: string; text: string }

function places(): SlidePosition[] {
  return readDeck().chapters.flatMap(({ name, slides: all }, h) =>
    all.map(({ text }, v) => ({ h, v, text, name: `slides/${name}.md, slide ${v + 1}` })),
  )
}

/** Returns the first slide with a text. */
function placeOf(text: string): SlidePosition {
  return places().find((place) => place.text.includes(text))!
}

function pagesOf(file: string): number {
  return readFileSync(file, 'latin1').match(/\/Type \/Page\b/g)?.length ?? 0
}

async function goTo(page: Page, { h, v }: SlidePosition): Promise<void> {
  await page.evaluate(`location.hash = '#/${h}/${v}'`)
  const slide = page.locator(
    `.slides > section:nth-of-type(${h + 1}) > section:nth-of-type(${v + 1})`,
  )
  await expect(slide).toHaveClass(/present/)
}

/** Delays the channel of a running program until it is released. */
async function heldChannel(
  page: Page,
): Promise<{ isAskedFor: Promise<unknown>; askedFor: string[]; letGo(): void }> {
  const askedFor: string[] = []
  page.on('request', (request) => askedFor.push(new URL(request.url()).pathname))
  let letGo = (): void => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  await page.route('**/channel', async (route) => {
    await held
    await route.continue()
  })
  return { isAskedFor: page.waitForRequest('**/channel'), askedFor, letGo }
}

/** Collects the errors that the browser reports. */
function problemsOf(page: Page): string[] {
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text())
  })
  return problems
}

/** Returns the beginning of a slide's notes, up to the first mark of Markdown. */
function firstWords(notes: string): string {
  return /^[^*`\n]+/.exec(notes.replace(/^\*\*\w+\*\*: /, ''))![0]
}

/** Returns the width of the current slide in pixels. Runs in the page. */
function widthOfSlide(): number {
  return Math.round(
    document.querySelector('section.present section.present')!.getBoundingClientRect().width,
  )
}

/** Returns the code whose font is smaller than 24 pixels. Runs in the page. */
function smallCode(): string[] {
  return [...document.querySelectorAll('.sheet pre, .sheet pre code')]
    .filter((each) => Number.parseFloat(getComputedStyle(each).fontSize) < 24)
    .map((each) => each.outerHTML.slice(0, 80))
}

/** Returns the texts on slides for which the browser uses a font of this machine. */
async function strangeFonts(page: Page): Promise<string[]> {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('DOM.enable')
  await cdp.send('CSS.enable')
  const { root } = await cdp.send('DOM.getDocument')
  const { nodeIds } = await cdp.send('DOM.querySelectorAll', {
    nodeId: root.nodeId,
    selector: '.sheet *',
  })
  const strange: string[] = []
  for (const nodeId of nodeIds) {
    const { fonts } = await cdp.send('CSS.getPlatformFontsForNode', { nodeId })
    if (fonts.every(({ isCustomFont }) => isCustomFont)) continue
    const { outerHTML } = await cdp.send('DOM.getOuterHTML', { nodeId })
    strange.push(
      `${fonts.map(({ familyName }) => familyName).join(', ')}: ${outerHTML.slice(0, 80)}`,
    )
  }
  return strange
}

/** Returns the picture of a QR code as a camera would see it. Runs in the page. */
function pixelsOf(svg: SVGElement | HTMLElement): {
  width: number
  height: number
  data: number[]
} {
  const modules = Number(svg.getAttribute('viewBox')!.split(' ')[2])
  const pixels = 8
  const width = modules * pixels
  const data = Array<number>(width * width * 4).fill(255)
  for (const [, x, y] of svg
    .querySelector('path')!
    .getAttribute('d')!
    .matchAll(/M(\d+) (\d+)h/g)) {
    for (let at = 0; at < pixels * pixels; at += 1) {
      const row = Number(y) * pixels + Math.floor(at / pixels)
      const column = Number(x) * pixels + (at % pixels)
      data.fill(0, (row * width + column) * 4, (row * width + column) * 4 + 3)
    }
  }
  return { width, height: width, data }
}
