import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { defineConfig } from 'vitest/config'

/** Runs the proof first, because it takes the longest. The other test files run at the same time. */
class ProofFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isProof = ({ moduleId }: TestSpecification): boolean =>
      moduleId.endsWith('/proof.test.ts')
    const sorted = await super.sort(files)
    return sorted.toSorted((one, other) => Number(isProof(other)) - Number(isProof(one)))
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Notes the CPU seconds that npm test prints.
    runner: './workshop/cpu-of-suites.ts',
    // Run checks in a process of their own, as the grader does. Otherwise leaks would not be visible.
    pool: 'forks',
    // Run two test files at once, because most of them wait for programs that they have started.
    maxWorkers: 2,
    sequence: { sequencer: ProofFirst },
    // Run several gradings of the proof at once, because most of them wait for something that does not happen.
    maxConcurrency: 6,
    // These timeouts only end tests that hang. They are long, because everything takes longer on a busy machine.
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
})
