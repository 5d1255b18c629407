import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem, type as systemType, release } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { forkTypeScript } from '../workshop/process/fork-typescript.ts'
import { ROOT } from '../workshop/root.ts'
import { BENCHMARKS, type Benchmark } from './benchmarks.ts'
import { toMarkdown, type Section } from './section.ts'

/** Runs one benchmark after another, each in a process of its own, and prints the results. All of them also go to a file. */
export async function runBenchmarks(names: readonly Benchmark[]): Promise<number> {
  const sections: string[] = []
  for (const name of names) {
    console.log(`Running ${name} …\n`)
    const section = await inOwnProcess(name)
    if (!section) {
      console.error(`The benchmark ${name} failed. Its error is above.`)
      return 1
    }
    sections.push(toMarkdown(section))
    console.log(sections.at(-1))
  }
  if (names.length < BENCHMARKS.length) return 0
  writeFileSync(join(ROOT, RESULTS), [introduction(), ...sections].join('\n'))
  console.log(`Written to ${RESULTS}.`)
  return 0
}

const RESULTS = 'bench/RESULTS.md'

// tsx reads the settings for JSX from here.
process.env['TSX_TSCONFIG_PATH'] = join(ROOT, 'tsconfig.browser.json')

/** Returns undefined if the process ended without a result. */
async function inOwnProcess(name: Benchmark): Promise<Section | undefined> {
  const child = forkTypeScript(join(ROOT, 'bench/process.ts'), 'inherit')
  const ended = once(child, 'exit').then(() => undefined)
  child.send(name)
  const section = once(child, 'message').then(([message]) => message as Section)
  return Promise.race([section, ended])
}

function introduction(): string {
  const packages = ['better-sse', 'eventsource-parser', 'express', 'mitata', 'react', 'split2']
  const versions = packages.map((name) => `${name} ${versionOf(name)}`)
  const gib = Math.round(totalmem() / 2 ** 30)
  return `# How fast the solutions are

Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}.

- Machine: ${cpus().length} × ${cpus()[0]?.model.trim()}, ${gib} GiB of memory, ${systemType()} ${release()}
- Node ${process.versions.node}, ${versions.join(', ')}

All sides do the same work in the same run, and take turns for several rounds. Before anything is measured, their results are
compared. Only CPU time counts. A ratio is the median of all rounds, with the smallest and the largest in
parentheses. A speed above 1 × means that our solution is faster.
`
}

function versionOf(name: string): string {
  const file = join(ROOT, 'node_modules', name, 'package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
