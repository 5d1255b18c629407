import { expect, type Locator } from '@playwright/test'

/** Clicks an entry in the list of latest entries. Points at the list first, as people do, so that the list holds still. */
export async function pick(entry: Locator): Promise<void> {
  await expect(entry).toBeVisible()
  await entry.page().getByRole('listbox', { name: 'Latest entries' }).hover()
  await entry.click()
}
