import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../workshop/root.ts'
import type { Copy } from './copy.ts'

/** Makes the copy share one build of the page with all other copies, because it is the same for all. */
export function shareBuiltPage(copy: Copy): void {
  const built = join(ROOT, '.workshop', 'page')
  mkdirSync(built, { recursive: true })
  mkdirSync(copy.path('.workshop'))
  symlinkSync(built, copy.path('.workshop', 'page'), 'junction')
}

/** Returns the secret that the page at a URL uses, as a browser gets it. */
export async function secretOf(url: string): Promise<string> {
  const page = await fetch(url, { headers: { 'Sec-Fetch-Site': 'none' } })
  return /<meta name="secret" content="(\w+)"/.exec(await page.text())?.[1] ?? ''
}
