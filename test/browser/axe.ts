import { AxeBuilder } from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'

type Look = { colorScheme: 'light' | 'dark'; width: number }

/** Two looks, which cover each colour scheme and each width once. */
const TWO_LOOKS: Look[] = [
  { colorScheme: 'dark', width: 400 },
  { colorScheme: 'light', width: 1280 },
]

/** Every combination of colour scheme and width. */
export const ALL_LOOKS: Look[] = [
  { colorScheme: 'dark', width: 1280 },
  { colorScheme: 'light', width: 400 },
  ...TWO_LOOKS,
]

/** Expects no axe violations and no horizontal overflow in each look. The page keeps the last look. */
export async function expectNoFinding(page: Page, what: string, looks = TWO_LOOKS): Promise<void> {
  for (const { colorScheme, width } of looks) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 800 })
    expect(await findings(page), `${what}, ${colorScheme}, ${width} px`).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
  }
}

/** The rules whose result depends on the colour scheme. */
export const COLOUR_RULES = ['color-contrast', 'link-in-text-block']

/** Returns the axe violations on the page or in a part of it, of all rules or only of some. */
export async function findings(page: Page, part?: string, rules?: string[]): Promise<string[]> {
  // Skip the list of passed rules. Run in legacy mode if the page has no frames, because otherwise axe merges the results
  // in a new page, which takes several times as long as the analysis itself.
  const axe = new AxeBuilder({ page })
    .options({ resultTypes: ['violations'] })
    .setLegacyMode(page.frames().length === 1)
  if (part !== undefined) axe.include(part)
  if (rules !== undefined) axe.withRules(rules)
  const { violations } = await axe.analyze()
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
}
