import type { SpaceTime } from './space-time.ts'

// The messages between the grader and the process in which it grades. A sign of life is a line on standard error.

/** The first character of every sign of life. */
export const SIGN = '\u0001'

/** What only the grader and the harness know about a run. The learner's code cannot read it. */
export type RunSecrets = {
  /** A random word that every sign of life begins with. */
  sign: string
  /** For each check, the word that says how it ended. A result without its word was not reported by the check. */
  words: Record<string, { passed: string; failed: string }>
  canaries: Canary[]
}

/** A check of the grader's own. Its result shows whether the run can be trusted. */
export type Canary = { id: string; rule: string; mustPass: boolean }

/** The report of a check, whether the check passed or not. */
export type Report = {
  steps: readonly string[]
  /** The steps as a picture, if several parties speak and the harness knows which of them did. */
  picture?: SpaceTime
  /** The part of the check that could not be graded, and the reason. The check has passed nevertheless. */
  note?: string
  /** Absent if the check passed. */
  story?: Story
  /** The stub's message, if the code is not written yet: `lesson 1, task 1.1: write createApp()`. */
  notWritten?: string
}

/** The reason why a check failed, in words that the learner knows. It mentions neither matchers nor the harness. */
export type Story = {
  /** What happened: `The feed released "M 6.4 …" and nothing reached the client.` */
  seen: string
  /** What should have happened: `Expected the client to read it while the feed was waiting.` */
  expected: string
  /** One likely cause, because a check sees only symptoms: `the handler collects the quakes …`. */
  often?: string
  /** The cause, if it is known for certain. */
  cause?: string
}

/**
 * What the grader does for the checks, whose own process may not start programs. A check names a program by the number
 * that it got when the program was started.
 */
export type GraderTasks = {
  /**
   * Starts a redis-server for one check, or returns the one that all checks of this grading share. Returns undefined if
   * this machine has no redis-server.
   */
  startRedis(isShared: boolean): Promise<StartedProgram | undefined>
  /** Kills a redis-server that one check has started. */
  stopRedis(id: number): Promise<void>
  /** Starts a stopped redis-server again, on another port. */
  restartRedis(id: number, keepsData: boolean): Promise<StartedProgram>
  /** Starts a process for the learner's `process.ts`, which does not run yet. Returns the number of the process. */
  prepareProcess(): Promise<number>
  /** Calls the learner's `startProcess()` in a process, and returns the port. Rejects with the error of the learner's code. */
  startProcess(id: number, settings: ProcessSettings): Promise<number>
  signalProcess(id: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Resolves when a process has ended. */
  exitOfProcess(id: number): Promise<ProcessExit>
}

export type StartedProgram = { id: number; port: number }

/** The options with which the learner's `startProcess()` is called. */
export type ProcessSettings = { redisUrl: string; key?: string; graceMs?: number }

/** The end of a process: its exit code or the signal that ended it, and the last part of its standard error. */
export type ProcessExit = { code: number | null; signal: string | null; printed: string }

/** A message from a check to the grader. The answer has the same word, which is random, so that only the grader can answer. */
export type TaskMessage = { task: keyof GraderTasks; args: unknown[]; word: string }

/** The grader's answer to a check: the result of the task, or the reason why it failed. */
export type TaskAnswer = { taskResult: unknown; word: string } | { taskError: string; word: string }

/** The ports of the real nginx that the grader has started. nginx forwards a request to the port in its `Server-Port` header. */
export type NginxPorts = {
  /** The port of the site that buffers as much as nginx can. */
  holding: number
  /** The port of the site that the learner's nginx.conf configures. */
  ofWork?: number
  /** The reason why the nginx.conf could not be used, in a sentence. */
  problem?: string
  /** The settings that apply to `/events` with this nginx.conf. Absent if the settings cannot be determined. */
  settings?: NginxSettings
}

/** The values of nginx directives. If a directive is absent, its default value applies. */
export type NginxSettings = {
  /** The value of `proxy_read_timeout`, such as `60s`. */
  readTimeout?: string
  /** The value of `proxy_buffering`, such as `off`. */
  buffering?: string
}
