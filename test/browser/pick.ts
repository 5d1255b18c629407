import { expect, type Locator } from '@playwright/test'

/** Clicks an entry in the list of latest entries. Like a person, points at the list first, so that it holds still. */
export async function pick(entry: Locator): Promise<void> {
  await expect(entry).toBeVisible()
  await entry.page().getByRole('listbox', { name: 'Latest entries' }).hover()
  await entry.click()
}
