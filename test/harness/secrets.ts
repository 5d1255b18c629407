import { inject } from 'vitest'
import type { RunSecrets } from '../../protocol/grading.ts'

declare module 'vitest' {
  interface ProvidedContext {
    secrets?: RunSecrets
  }
}

/**
 * What only the grader and the harness know about this run, so that the learner's code can forge neither a sign of life nor
 * the result of a check. Undefined outside the grader.
 */
export const secrets: RunSecrets | undefined = inject('secrets')

// This file is loaded before the learner's code, which could otherwise read the secrets here.
const worker = (globalThis as Record<string, unknown>)['__vitest_worker__'] as WorkerState
delete worker.providedContext.secrets

type WorkerState = { providedContext: { secrets?: RunSecrets } }
