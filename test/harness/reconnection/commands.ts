import * as fc from 'fast-check'
import { HISTORY_CAPACITY, type FailedAttempt, type SystemUnderTest } from './system-under-test.ts'

export type Commands = Iterable<fc.AsyncCommand<SystemUnderTest, SystemUnderTest>>

const command = <T = undefined>(
  check: (real: SystemUnderTest) => boolean,
  run: (real: SystemUnderTest, value: T) => Promise<void> | void,
  values = fc.constant(undefined) as fc.Arbitrary<T>,
): fc.Arbitrary<fc.AsyncCommand<SystemUnderTest, SystemUnderTest>> =>
  values.map((value) => ({
    check,
    run: async (_model, real) => run(real, value),
    toString: () => '',
  }))

const MAX_COMMANDS = 24
const MAX_BURST = HISTORY_CAPACITY + 2

/** More cannot happen in a scenario, with the one at its end. */
export const MAX_QUAKES = MAX_COMMANDS * MAX_BURST + 1

const count = fc.integer({ min: 1, max: MAX_BURST })
const bytes = fc.integer({ min: 1, max: 400 })
const attempts = fc.array(fc.constantFrom<FailedAttempt>('nobody', '503'), { maxLength: 2 })
const answer = fc.constantFrom('as it was' as const, 'as it is' as const)

const happen = command(
  () => true,
  (real, n: number) => real.happen(n),
  count,
)
const cut = command(
  (real) => !real.isDisconnected,
  (real) => real.cut(),
)
const cutAfter = command(
  (real) => !real.isDisconnected,
  (real, n: number) => real.cutAfter(n),
  bytes,
)
const reconnect = command(
  (real) => real.isDisconnected,
  (real) => real.reconnect(),
)

const blockHistory = command(
  (real) => !real.isHistoryBlocked,
  (real, how: 'as it was' | 'as it is') => real.blockHistory(how),
  answer,
)

/** Any sequence of commands. Each says when it is possible, and what it does. */
export const anyCommands = fc.commands(
  [
    // What makes most scenarios comes more often.
    ...[
      happen,
      happen,
      happen,
      cut,
      cutAfter,
      reconnect,
      reconnect,
      reconnect,
      blockHistory,
      blockHistory,
    ],
    command(
      (real) => !real.isStalled,
      (real) => real.stall(),
    ),
    command(
      (real) => real.isStalled,
      (real) => real.unstall(),
    ),
    command(
      (real) => real.isStalled && real.isConsuming && !real.isDisconnected,
      (real) => real.expireWatchdog(),
    ),
    command(
      () => true,
      (real, met: FailedAttempt[]) => real.crash(met),
      attempts,
    ),
    command(
      () => true,
      (real) => real.shutDown(),
    ),
    command(
      (real) => real.isConsuming,
      (real) => real.pauseConsumer(),
    ),
    command(
      (real) => !real.isConsuming,
      (real) => real.resumeConsumer(),
    ),
    command(
      (real) => real.isHistoryBlocked,
      (real) => real.unblockHistory(),
    ),
  ],
  { maxCommands: MAX_COMMANDS, size: 'max' },
)
