import { onTestFailed } from 'vitest'
import type { Copy } from './copy.ts'
import { start, type Program } from './process.ts'

export { endPrograms, type Program } from './process.ts'

/** Runs `npm run WORDS…` in a Vitest test, and prints its output if the test fails. */
export function run(copy: Copy, args: string[], env: NodeJS.ProcessEnv = {}): Program {
  const program = start(copy, args, env)
  onTestFailed(() => console.log(`npm run ${args.join(' ')} printed:\n${program.output}`))
  return program
}
