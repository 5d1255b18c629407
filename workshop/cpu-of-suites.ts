import { TestRunner, type RunnerTask, type RunnerTestCase, type RunnerTestSuite } from 'vitest'
import { cpuSeconds } from './cpu-seconds.ts'
import { isTypeCheck } from './phases.ts'

declare module 'vitest' {
  interface TaskMeta {
    cpuSeconds?: number
  }
}

/** Runs tests as Vitest does, and notes the CPU seconds of each file, suite and type check. */
export default class MeasuringRunner extends TestRunner {
  readonly #begun = new Map<RunnerTask, number>()

  override async onBeforeRunSuite(suite: RunnerTestSuite): Promise<void> {
    await super.onBeforeRunSuite(suite)
    // What the process has used before belongs to its file.
    this.#begin(suite, 'filepath' in suite ? 0 : cpuSeconds())
  }

  override async onAfterRunSuite(suite: RunnerTestSuite): Promise<void> {
    this.#end(suite)
    await super.onAfterRunSuite(suite)
  }

  override async onBeforeRunTask(test: RunnerTestCase): Promise<void> {
    await super.onBeforeRunTask(test)
    if (isTypeCheck(test.name)) this.#begin(test, cpuSeconds())
  }

  override onAfterRunTask(test: RunnerTestCase): void {
    if (isTypeCheck(test.name)) this.#end(test)
    super.onAfterRunTask(test)
  }

  #begin(task: RunnerTask, used: number | undefined): void {
    if (used !== undefined) this.#begun.set(task, used)
  }

  #end(task: RunnerTask): void {
    const before = this.#begun.get(task)
    const now = cpuSeconds()
    if (before !== undefined && now !== undefined) task.meta.cpuSeconds = now - before
  }
}
