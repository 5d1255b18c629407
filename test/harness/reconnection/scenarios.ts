import * as fc from 'fast-check'
import type { Quake } from '#feed'
import type { Tools } from '../check.ts'
import { anyCommands, type Commands } from './commands.ts'
import { checkInvariant } from './delivery-invariant.ts'
import { SystemUnderTest } from './system-under-test.ts'

/** A scenario that has failed, shrunk as far as possible. */
export type Counterexample = { steps: readonly string[]; error: unknown }

type Options = {
  /** The seed. The same seed produces the same scenarios. */
  seed: number
  numRuns: number
  /** The quakes that happen in each scenario. */
  stock: Quake[]
  /** The maximum number of shorter versions of a failing scenario to try. Each of them may run into a timeout. */
  maxShrinks?: number
}

/**
 * Looks for a counterexample in generated scenarios, in which quakes happen, connections are cut and stall, servers crash,
 * and callers are slow. At the end of each scenario, the client must have every quake once and in order, except in
 * reported gaps.
 */
export async function runScenarios(
  t: Pick<Tools, 'serve'>,
  options: Options,
): Promise<Counterexample | undefined> {
  // Start and stop once, so that unwritten work throws before the first scenario.
  const first = await SystemUnderTest.start(t, { stock: [] })
  await first.connect().finally(() => first.close())
  // Use a short timeout first, because most failures are timeouts, and shrinking runs a scenario many times.
  const quick = await explore(t, options, QUICK_TIMEOUT_TURNS)
  if (!quick) return undefined
  const counterexample = await runScenario(t, quick.commands, options.stock)
  return counterexample ?? (await explore(t, { ...options, maxShrinks: 5 }))
}

/** The short timeout for scenarios that will run again with the whole timeout, in turns, see `waiting()`. */
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
  // Rethrow an error of the runner itself, because no scenario has failed.
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

/** Ends all trouble, and makes another quake happen. When that quake arrives, every earlier quake has arrived or is lost. */
async function recover(real: SystemUnderTest): Promise<void> {
  real.cutAfter(undefined)
  if (real.isStalled) await real.unstall()
  if (real.isHistoryBlocked) await real.unblockHistory()
  if (!real.isConsuming) await real.resumeConsumer()
  await real.stayConnected()
  await real.happen(1)
  await real.stayConnected()
}

/** Returns the broken invariant, if any, because it is nearer to the cause than a timeout. */
function violation(real: SystemUnderTest): unknown {
  try {
    checkInvariant(real)
  } catch (error) {
    return error
  }
}
