import { expect, type Locator } from '@playwright/test'

/** Presses an entry of the list of what came last, as a person does: points at the list first, and it holds still. */
export async function pick(entry: Locator): Promise<void> {
  await expect(entry).toBeVisible()
  await entry.page().getByRole('listbox', { name: 'Latest entries' }).hover()
  await entry.click()
}
