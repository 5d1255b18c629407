import { readFileSync } from 'node:fs'
import type { Locator, Page } from '@playwright/test'
import { expect, test } from '@playwright/test'
import { readDeck } from '../../workshop/slides/deck.ts'
import { pdf } from '../../workshop/slides/pdf.ts'
import { slidesServer, type SlidesServer } from '../../workshop/slides/server.ts'
import { areQuotesOfLessonsLost } from '../workshop/quotes-of-lessons.ts'
import { findings } from './axe.ts'
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
  expect(problems).toEqual([])
})

test('axe finds nothing on any slide, in light or dark colours', async ({ page }) => {
  // Look at all slides at once first, in the print view.
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme })
    await page.goto(`${slides.url}/?print-pdf`)
    await expect(page.locator('.pdf-page')).toHaveCount(places().length)
    expect.soft(await findings(page, '.slides'), `as they are printed, ${colorScheme}`).toEqual([])
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
  await expect(speaker.locator('.speaker-controls-notes .value')).toContainText(
    'ask everybody to clone',
  )
  await expect(speaker.locator('.pacing')).toBeVisible()
  await expect(
    speaker.frameLocator('#upcoming-slide iframe').locator('section.present section.present h2'),
  ).toHaveText(readDeck().chapters[0]!.slides[1]!.text.match(/^## (.*)$/m)![1]!)
  await page.keyboard.press('ArrowRight')
  await expect(speaker.locator('.speaker-controls-notes .value')).toContainText(
    'Ask whether anybody has streamed',
  )
})

test('a slide runs its program, shows its wire, and stops it when the deck moves on', async ({
  page,
}) => {
  const problems = problemsOf(page)
  await page.goto(slides.url)
  await expect(page.locator('.reveal.ready')).toBeVisible()
  const held = places().find(({ text }) => text.includes('```wire \nheld'))!
  await goTo(page, held)
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
  await expect(program.getByText('client 1: connecting, 0 quakes')).toBeVisible()
  await program.getByRole('button', { name: 'Burst' }).click()
  await expect(program.getByText(/client 1: reading, [\d,]+ quakes/)).toBeVisible()
  await program.getByRole('button', { name: 'Cut' }).click()
  await expect(program.getByText(/client 1: cut/)).toBeVisible()
  await program.getByRole('button', { name: 'Proxy', pressed: true }).click()
  await expect(program.getByRole('button', { name: 'Proxy', pressed: false })).toBeVisible()
  // The focus is in the frame, but the key is for the deck, which removes the frame. On rare occasions the browser never
  // confirms such a key press, so wait for its effect instead.
  void page.keyboard.press('PageDown').catch(() => {})
  await expect(page.locator('iframe')).toHaveCount(0)
  expect(problems).toEqual([])
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

test('entering the code lets you follow', async ({ page }) => {
  const shared = await slidesServer({ ports: [0], code: 'KMXTRA' })
  try {
    const problems = problemsOf(page)
    await page.goto(`http://127.0.0.1:${shared.followersPort}/`)
    expect(await findings(page, 'body')).toEqual([])
    await page.getByLabel('The code on the screen').fill('kmxtra')
    await page.keyboard.press('Enter')
    shared.leader.goTo({ h: 0, v: 1, f: -1 })
    await expect(title(page)).toHaveText(/^What you will/)
    await expect(page).toHaveURL(/\/KMXTRA\/$/)
    expect(problems).toEqual([])
  } finally {
    await shared.close()
  }
})

test('the handout has a page for each slide', async () => {
  const file = test.info().outputPath('hand-out ü.pdf')
  expect(await pdf(file)).toBe(0)
  const pages = readFileSync(file, 'latin1').match(/\/Type \/Page\b/g)
  expect(pages).toHaveLength(places().length)
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
