import { AxeBuilder } from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'

/** Expects no finding of axe and nothing wider than the window: dark and narrow, then light and wide, which stays. */
export async function noFinding(page: Page, what: string): Promise<void> {
  for (const [colorScheme, width] of [['dark', 400] as const, ['light', 1280] as const]) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.setViewportSize({ width, height: 800 })
    const { violations } = await new AxeBuilder({ page }).analyze()
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
    expect(found, `${what}, ${colorScheme}, ${width} px`).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
  }
}
