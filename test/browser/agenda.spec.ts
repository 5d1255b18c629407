import type { Page } from '@playwright/test'
import { expect, test } from '@playwright/test'
import { agendaDeck } from '../../workshop/slides/agenda-deck.ts'
import { agendaNames } from '../../workshop/slides/agenda.ts'
import { readDeck } from '../../workshop/slides/deck.ts'
import { slidesServer, type SlidesServer } from '../../workshop/slides/server.ts'
import { areQuotesOfLessonsLost } from '../workshop/quotes-of-lessons.ts'
import { findings } from './axe.ts'
import { outsideOfSlide } from './outside-of-slide.ts'

// Each agenda is rehearsed with a clock that the test sets.

// A learner may have deleted a README that a slide quotes. In CI, this never skips.
test.skip(areQuotesOfLessonsLost())

const NINE = 9 * 60

/** The texts of the slides that are the same without an agenda. They are looked at in slides.spec.ts. */
const isInDeck = new Set(
  readDeck().chapters.flatMap(({ slides: all }) => all.map(({ text }) => text)),
)

let slides: SlidesServer
test.afterEach(() => slides.close())

for (const name of agendaNames()) {
  test(`the agenda "${name}": its own slides fit, and the speaker view says how late the instructor is`, async ({
    page,
    context,
  }) => {
    const deck = agendaDeck({ name, startsAt: NINE })
    slides = await slidesServer({ ports: [0], agenda: { name, startsAt: NINE } })
    await context.clock.setFixedTime(at(0))
    await page.goto(slides.url)
    await expect(page.locator('.reveal.ready')).toBeVisible()
    for (const size of [
      { width: 1280, height: 720 },
      { width: 1024, height: 768 },
    ]) {
      await page.setViewportSize(size)
      for (const [h, chapter] of deck.chapters.entries()) {
        for (const [v, { text }] of chapter.slides.entries()) {
          if (isInDeck.has(text)) continue
          const outside = await page.evaluate(outsideOfSlide, { h, v })
          expect.soft(outside, `${text.slice(0, 60)}, ${size.width} px`).toEqual([])
        }
      }
    }

    for (const part of ['welcome', 'break', 'close']) {
      const h = deck.chapters.findIndex((chapter) => chapter.slides[0]!.kind === part)
      await goTo(page, h)
      expect.soft(await findings(page, 'section.present section.present'), part).toEqual([])
    }

    const opened = page.waitForEvent('popup')
    await page.keyboard.press('s')
    const speaker = await opened
    const pacing = speaker.frameLocator('#current-slide iframe').locator('.pacing')
    // reveal.js loses a move that happens before the frame has loaded.
    await expect(pacing).toBeVisible()
    const h = deck.chapters.findLastIndex((chapter) => /^break/.test(chapter.name))
    const { from, to } = deck.chapters[h]!.slides[0]!.plan!
    await goTo(page, h)
    for (const [minute, says] of [
      [from - 12, '12 minutes early'],
      [from + 3, 'On time'],
      [to + 1, '1 minute over'],
      [to + 20, '20 minutes over'],
    ] as const) {
      await context.clock.setFixedTime(at(minute))
      await expect(pacing).toContainText(says)
      const isOnTime = says === 'On time'
      expect(await pacing.getByText('You should be at slide').count()).toBe(isOnTime ? 0 : 1)
    }
    // reveal.js counts from the moment at which the speaker view was opened, so its pacing is hidden.
    await expect(speaker.locator('.pacing')).toBeHidden()
    const [frame] = speaker.frames().filter((each) => each.url().includes('receiver'))
    await speaker.goto(frame!.url())
    await expect(speaker.locator('.pacing')).toBeVisible()
    expect(await findings(speaker, '.pacing')).toEqual([])
  })
}

/** Returns the time this many minutes after nine. */
function at(minute: number): Date {
  return new Date(2026, 10, 30, 9, minute, 0)
}

async function goTo(page: Page, h: number): Promise<void> {
  await page.evaluate(`location.hash = '#/${h}/0'`)
  await expect(page.locator(`.slides > section:nth-of-type(${h + 1})`)).toHaveClass(/present/)
}
