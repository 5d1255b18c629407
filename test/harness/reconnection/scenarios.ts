import * as fc from 'fast-check'
import type { Quake } from '#feed'
import type { Tools } from '../check.ts'
import { anyCommands, type Commands } from './commands.ts'
import { checkInvariant } from './delivery-invariant.ts'
import { SystemUnderTest } from './system-under-test.ts'

/** A scenario that failed, shrunk as far as possible. */
export type Counterexample = { steps: readonly string[]; error: unknown }

type Options = {
  /** The same seed produces the same scenarios. */
  seed: number
  numRuns: number
  /** The quakes that happen in each scenario. */
  stock: Quake[]
  /** How many shorter versions of a failing scenario are tried. Each may run into a timeout. */
  maxShrinks?: number
}

/**
 * Looks for a counterexample in generated scenarios: quakes happen, connections are cut and stall, servers crash, and callers
 * are slow. At the end of each scenario the client must have every quake once and in order, except in reported gaps.
 */
export async function runScenarios(
  t: Pick<Tools, 'serve'>,
  options: Options,
): Promise<Counterexample | undefined> {
  // Unwritten work throws here, before the first scenario.
  const first = await SystemUnderTest.start(t, { stock: [] })
  await first.connect().finally(() => first.close())
  // Most failures are timeouts, and shrinking runs a scenario many times.
  const quick = await explore(t, options, QUICK_TIMEOUT_TURNS)
  if (!quick) return undefined
  const counterexample = await runScenario(t, quick.commands, options.stock)
  return counterexample ?? (await explore(t, { ...options, maxShrinks: 5 }))
}

/** The share of the timeout for scenarios that will be run again with all of it, see `waiting()`. */
const QUICK_TIMEOUT_TURNS = 4

async function explore(
  t: Pick<Tools, 'serve'>,
  { seed, numRuns, stock, maxShrinks = 60 }: Options,
  timeoutTurns?: number,
): Promise<(Counterexample & { commands: Commands }) | undefined> {
  let shortest: (Counterexample & { commands: Commands }) | undefined
  const property = fc.asyncProperty(fc.limitShrink(anyCommands, maxShrinks), async (commands) => {
    const counterexample = await runScenario(t, commands, stock, timeoutTurns)
    if (!counterexample) return
    // Each failing scenario is shorter than the one before.
    shortest = { ...counterexample, commands }
    throw counterexample.error
  })
  const { errorInstance } = await fc.check(property, { seed, numRuns })
  // The runner failed, and not a scenario.
  if (errorInstance && !shortest) throw errorInstance
  return shortest
}

async function runScenario(
  t: Pick<Tools, 'serve'>,
  commands: Commands,
  stock: Quake[],
  timeoutTurns?: number,
): Promise<Counterexample | undefined> {
  const real = await SystemUnderTest.start(t, { stock, timeoutTurns })
  try {
    await real.connect()
    await fc.asyncModelRun(() => ({ model: real, real }), commands)
    await recover(real)
    checkInvariant(real)
  } catch (error) {
    return { steps: real.transcript.steps, error: violation(real) ?? error }
  } finally {
    await real.close()
  }
}

/** Ends all trouble, and lets one more quake happen. When it arrives, every earlier quake has arrived or is lost. */
async function recover(real: SystemUnderTest): Promise<void> {
  real.cutAfter(undefined)
  if (real.isStalled) await real.unstall()
  if (real.isHistoryBlocked) await real.unblockHistory()
  if (!real.isConsuming) await real.resumeConsumer()
  await real.stayConnected()
  await real.happen(1)
  await real.stayConnected()
}

/** Returns the problem that the timeout hides, because it is nearer to the cause. */
function violation(real: SystemUnderTest): unknown {
  try {
    checkInvariant(real)
  } catch (error) {
    return error
  }
}
