import type { TestModule } from 'vitest/node'

/** A part of `npm test`, and the CPU seconds that it used. */
export type Phase = { name: string; seconds: number }

/** Returns the phases of the tests that run in Node. Without figures, as on other systems than Linux, there are none. */
export function phasesOf(modules: readonly TestModule[]): Phase[] {
  const phases = new Map<string, number>()
  const count = (name: string, seconds = 0): void => {
    if (seconds > 0) phases.set(name, (phases.get(name) ?? 0) + seconds)
  }
  for (const module of modules) {
    const ownName = phaseOf(module.relativeModuleId)
    let rest = module.meta().cpuSeconds ?? 0
    for (const suite of module.children.suites()) {
      if (ownName !== PROOF) continue
      const { cpuSeconds = 0 } = suite.meta()
      count(`${PROOF} of ${suite.name}`, cpuSeconds - typeChecksIn(suite))
      rest -= cpuSeconds - typeChecksIn(suite)
    }
    const types = typeChecksIn(module)
    count('type checks', types)
    count(ownName, rest - types)
  }
  return [...phases].map(([name, seconds]) => ({ name, seconds }))
}

/** Returns whether a test with this name runs the compiler. */
export function isTypeCheck(name: string): boolean {
  return name.startsWith('the types ')
}

/** Lists the phases, one per line, and their sum. */
export function formatPhases(phases: readonly Phase[]): string {
  const all = phases.reduce((sum, { seconds }) => sum + seconds, 0)
  return [...phases, { name: 'together', seconds: all }]
    .map(({ name, seconds }) => `${seconds.toFixed(1).padStart(7)} s  ${name}`)
    .join('\n')
}

function typeChecksIn({ children }: Pick<TestModule, 'children'>): number {
  const checks = [...children.allTests()].filter(({ name }) => isTypeCheck(name))
  return checks.reduce((sum, check) => sum + (check.meta().cpuSeconds ?? 0), 0)
}

function phaseOf(file: string): string {
  if (file === 'test/proof.test.ts') return PROOF
  if (file.startsWith('test/workshop/')) return 'tests of the workshop'
  return /^test\/lesson\d+\./.test(file) ? 'checks of the lessons' : 'other tests'
}

const PROOF = 'proof'
