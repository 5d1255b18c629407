import * as fc from 'fast-check'
import { HISTORY_CAPACITY, type FailedAttempt, type SystemUnderTest } from './system-under-test.ts'

export type Commands = Iterable<fc.AsyncCommand<SystemUnderTest, SystemUnderTest>>

/** A command that is possible when `when()` returns true. Its effect depends on a generated value. */
type Command<T> = {
  when?(real: SystemUnderTest): boolean
  run(real: SystemUnderTest, value: T): Promise<void> | void
}

function command<T>(
  { when = () => true, run }: Command<T>,
  values = fc.constant(undefined) as fc.Arbitrary<T>,
): fc.Arbitrary<fc.AsyncCommand<SystemUnderTest, SystemUnderTest>> {
  return values.map((value) => ({
    check: when,
    run: async (_model, real) => run(real, value),
    toString: () => '',
  }))
}

const MAX_COMMANDS = 24
const MAX_BURST = HISTORY_CAPACITY + 2

/** The maximum number of quakes in a scenario, including the quake at its end. */
export const MAX_QUAKES = MAX_COMMANDS * MAX_BURST + 1

const count = fc.integer({ min: 1, max: MAX_BURST })
const bytes = fc.integer({ min: 1, max: 400 })
const attempts = fc.array(fc.constantFrom<FailedAttempt>('nobody', '503'), { maxLength: 2 })
const answer = fc.constantFrom('as it was' as const, 'as it is' as const)

const happen = command({ run: (real, n) => real.happen(n) }, count)
const cut = command({ when: (real) => !real.isDisconnected, run: (real) => real.cut() })
const cutAfter = command(
  { when: (real) => !real.isDisconnected, run: (real, n) => real.cutAfter(n) },
  bytes,
)
const reconnect = command({ when: (real) => real.isDisconnected, run: (real) => real.reconnect() })
const blockHistory = command(
  { when: (real) => !real.isHistoryBlocked, run: (real, as) => real.blockHistory(as) },
  answer,
)

/** Generates sequences of commands. The most productive commands are more frequent. */
export const anyCommands = fc.commands(
  [
    ...[happen, happen, happen, cut, cutAfter],
    ...[reconnect, reconnect, reconnect, blockHistory, blockHistory],
    command({ when: (real) => !real.isStalled, run: (real) => real.stall() }),
    command({ when: (real) => real.isStalled, run: (real) => real.unstall() }),
    command({
      when: (real) => real.isStalled && real.isConsuming && !real.isDisconnected,
      run: (real) => real.expireWatchdog(),
    }),
    command({ run: (real, met) => real.crash(met) }, attempts),
    command({ run: (real) => real.shutDown() }),
    command({ when: (real) => real.isConsuming, run: (real) => real.pauseConsumer() }),
    command({ when: (real) => !real.isConsuming, run: (real) => real.resumeConsumer() }),
    command({ when: (real) => real.isHistoryBlocked, run: (real) => real.unblockHistory() }),
  ],
  { maxCommands: MAX_COMMANDS, size: 'max' },
)
