import { install } from '../parts/install.ts'
import { look } from '../parts/look.ts'
import { parts } from '../parts/parts.ts'

/** `npm run setup`: looks for the real programs that the workshop needs, and installs what is missing. */
export async function setup(words: string[]): Promise<number> {
  if (words.length > 0) {
    console.error(`There is nothing to say behind npm run setup, got "${words.join(' ')}".`)
    return 2
  }
  let isComplete = true
  for (const part of parts) {
    const seen = look(part)
    if ('path' in seen) {
      console.log(`${part.name}: found ${seen.path}${seen.version ? ` (${seen.version})` : ''}`)
    } else {
      console.log(`${part.name}: ${seen.problem}`)
      isComplete = (await install(part)) && isComplete
    }
  }
  return isComplete ? 0 : 1
}
