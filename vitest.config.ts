import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { defineConfig } from 'vitest/config'

/** What takes longest begins first, and the rest runs beside it. */
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
    // A check's process is its own: that is how it is graded, and what makes leaks visible.
    pool: 'forks',
    // Most of them wait, for programs that they have started.
    maxWorkers: 2,
    sequence: { sequencer: ProofFirst },
    // Of gradings, in the proof. Most of them wait for something that does not come.
    maxConcurrency: 6,
    // They end what hangs. On a busy machine everything takes longer, and nothing else is wrong with it.
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
})
