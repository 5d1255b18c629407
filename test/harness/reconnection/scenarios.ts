import * as fc from 'fast-check'
import type { Quake } from '#feed'
import type { Tools } from '../check.ts'
import { anyCommands, type Commands } from './commands.ts'
import { checkInvariant } from './delivery-invariant.ts'
import { SystemUnderTest } from './system-under-test.ts'

/** A scenario that went wrong, as short as it could be made. */
export type Counterexample = { steps: readonly string[]; error: unknown }

type Options = {
  /** The same seed gives the same scenarios. */
  seed: number
  numRuns: number
  /** The quakes that happen in each of them. */
  stock: Quake[]
  /** How often a scenario that goes wrong is tried again, shortened. Each may wait in vain. */
  maxShrinks?: number
}

/**
 * Looks for a counterexample in generated scenarios: quakes happen, connections are cut and stall, servers crash,
 * readers take their time. At the end of each the client has everything, once and in order, but for what it was told
 * is gone.
 */
export async function runScenarios(
  t: Pick<Tools, 'serve'>,
  options: Options,
): Promise<Counterexample | undefined> {
  // What is not written yet says so itself, before the first scenario.
  const first = await SystemUnderTest.start(t, { stock: [] })
  await first.connect().finally(() => first.close())
  // Most of what goes wrong waits in vain, and shrinking runs a scenario many times.
  const quick = await explore(t, options, QUICK_TIMEOUT_TURNS)
  if (!quick) return undefined
  const counterexample = await runScenario(t, quick.commands, options.stock)
  return counterexample ?? (await explore(t, { ...options, maxShrinks: 5 }))
}

/** The timeout of a scenario that will be run again with the whole one, see `waiting()`. */
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
    // Each one that fails is shorter than the one before.
    shortest = { ...counterexample, commands }
    throw counterexample.error
  })
  const { errorInstance } = await fc.check(property, { seed, numRuns })
  // It was not a scenario that failed, but what runs them.
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

/** Takes all trouble away. Then one more quake happens: whatever is to come before it has come. */
async function recover(real: SystemUnderTest): Promise<void> {
  real.cutAfter(undefined)
  if (real.isStalled) await real.unstall()
  if (real.isHistoryBlocked) await real.unblockHistory()
  if (!real.isConsuming) await real.resumeConsumer()
  await real.stayConnected()
  await real.happen(1)
  await real.stayConnected()
}

/** Returns what was wrong before the client waited in vain: it is nearer to the cause. */
function violation(real: SystemUnderTest): unknown {
  try {
    checkInvariant(real)
  } catch (error) {
    return error
  }
}
