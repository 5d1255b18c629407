import { basename } from 'node:path'
import { runChild } from '../process/run-child.ts'
import { probe } from './probe.ts'
import type { ExternalTool } from './external-tool.ts'

/**
 * Installs a tool, in sight of the reader; says what to type when that is not possible.
 *
 * @returns whether the tool is there now, and runs
 */
export async function install(tool: ExternalTool): Promise<boolean> {
  for (const { program, args } of tool.install?.() ?? []) {
    console.log(`$ ${[basename(program), ...args].join(' ')}`)
    // apt-get asks questions otherwise.
    if (!(await runChild(program, args, { DEBIAN_FRONTEND: 'noninteractive' }))) break
  }
  const seen = probe(tool)
  if ('path' in seen) {
    console.log(`${tool.name}: installed ${seen.path}`)
    return true
  }
  console.error(`\nThe ${tool.name}, for ${tool.for}, is ${seen.problem}.\n${tool.advice()}`)
  return false
}
