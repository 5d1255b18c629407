import { AxeBuilder } from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'

type Look = { colorScheme: 'light' | 'dark'; width: number }

/** Each colour scheme and each width once. */
const TWO_LOOKS: Look[] = [
  { colorScheme: 'dark', width: 400 },
  { colorScheme: 'light', width: 1280 },
]

/** Each colour scheme at each width. */
export const ALL_LOOKS: Look[] = [
  { colorScheme: 'dark', width: 1280 },
  { colorScheme: 'light', width: 400 },
  ...TWO_LOOKS,
]

/** Expects no finding of axe and nothing wider than the window, in each look. The last one stays. */
export async function expectNoFinding(page: Page, what: string, looks = TWO_LOOKS): Promise<void> {
  for (const { colorScheme, width } of looks) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 800 })
    expect(await findings(page), `${what}, ${colorScheme}, ${width} px`).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
  }
}

/** Returns what axe finds on the page, or in a part of it. */
export async function findings(page: Page, part?: string): Promise<string[]> {
  // What passes is not told, and a page without frames is examined in one go. Otherwise axe opens a page of its own, in
  // which it puts everything together: that takes several times as long as the examination.
  const axe = new AxeBuilder({ page })
    .options({ resultTypes: ['violations'] })
    .setLegacyMode(page.frames().length === 1)
  if (part !== undefined) axe.include(part)
  const { violations } = await axe.analyze()
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
}
