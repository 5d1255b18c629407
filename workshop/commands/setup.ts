import { browser } from '../tools/browser.ts'
import { install, probe } from '../tools/external-tool.ts'
import { proxies } from '../tools/proxies.ts'
import { redisServer } from '../tools/redis.ts'
import { refuse } from './refuse.ts'

/** `npm run setup` looks for the external tools that the workshop uses, and installs the missing ones. */
export async function setup(args: string[]): Promise<number> {
  if (args.length > 0) {
    return refuse(`npm run setup takes no arguments, got "${args.join(' ')}".`)
  }
  let isComplete = true
  for (const tool of [browser, ...proxies, redisServer]) {
    const seen = probe(tool)
    if ('path' in seen) {
      console.log(`${tool.name}: found ${seen.path}${seen.version ? ` (${seen.version})` : ''}`)
    } else {
      console.log(`${tool.name}: ${seen.problem}`)
      isComplete = (await install(tool)) && isComplete
    }
  }
  return isComplete ? 0 : 1
}
