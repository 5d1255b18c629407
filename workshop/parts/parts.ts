import { browser } from './browser.ts'
import type { Part } from './part.ts'
import { proxies } from './proxies.ts'

/** What `npm run setup` looks for, in this order. */
export const parts: Part[] = [browser, ...proxies]
