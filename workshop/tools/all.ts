import { browser } from './browser.ts'
import type { ExternalTool } from './external-tool.ts'
import { proxies } from './proxies.ts'

/** What `npm run setup` looks for, in this order. */
export const tools: ExternalTool[] = [browser, ...proxies]
