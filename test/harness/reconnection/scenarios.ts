import * as fc from 'fast-check'
import type { Quake } from '#feed'
import type { Tools } from '../check.ts'
import type { Transcript } from '../transcript.ts'
import { quakes, seed } from '../quakes.ts'
import { sampleSize } from '../sampling.ts'
import { anyCommands, MAX_QUAKES, type Commands } from './commands.ts'
import { checkInvariant } from './delivery-invariant.ts'
import { SystemUnderTest, type Parts } from './system-under-test.ts'

/** A scenario that failed, shrunk as far as possible. */
type Counterexample = { transcript: Transcript; error: unknown }

type Options = {
  parts: Parts
  numRuns: number
  /** The number of shorter versions of a failing scenario to try. Each of them may time out. */
  maxShrinks?: number
}

/**
 * Plays generated scenarios, in which quakes happen, connections are cut or stall, servers crash, and callers are slow. At
 * the end of each scenario, the client must have every quake once and in order, except in reported gaps. The seed of the
 * run decides which scenarios are played.
 */
export async function mustEndWell(t: Tools, parts: Parts): Promise<void> {
  const numRuns = sampleSize(100)
  const counterexample = await findCounterexample(t, { parts, numRuns })
  if (counterexample) {
    t.transcript.append(counterexample.transcript)
    throw counterexample.error
  }
  t.transcript.step(`${numRuns} random sequences of faults were played, and everything arrived`)
}

async function findCounterexample(
  t: Pick<Tools, 'serve'>,
  options: Options,
): Promise<Counterexample | undefined> {
  const { parts } = options
  // Code that is not written yet throws here, before the first scenario.
  const first = await SystemUnderTest.start(t, { parts, stock: [] })
  await first.connect().finally(() => first.close())
  // Use a short timeout first, because most failures are timeouts, and shrinking runs a scenario many times.
  const quick = await explore(t, options, QUICK_TIMEOUT_TURNS)
  if (!quick) return undefined
  const counterexample = await runScenario(t, parts, quick.commands)
  return counterexample ?? (await explore(t, { ...options, maxShrinks: 5 }))
}

/** The short timeout, in turns (see `waiting()`), for scenarios that will run again with the full timeout. */
const QUICK_TIMEOUT_TURNS = 4

async function explore(
  t: Pick<Tools, 'serve'>,
  { parts, numRuns, maxShrinks = 60 }: Options,
  timeoutTurns?: number,
): Promise<(Counterexample & { commands: Commands }) | undefined> {
  let shortest: (Counterexample & { commands: Commands }) | undefined
  const property = fc.asyncProperty(fc.limitShrink(anyCommands, maxShrinks), async (commands) => {
    const counterexample = await runScenario(t, parts, commands, timeoutTurns)
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
  parts: Parts,
  commands: Commands,
  timeoutTurns?: number,
): Promise<Counterexample | undefined> {
  const real = await SystemUnderTest.start(t, { parts, stock: stock(), timeoutTurns })
  try {
    await real.connect()
    await fc.asyncModelRun(() => ({ model: real, real }), commands)
    await recover(real)
    checkInvariant(real)
  } catch (error) {
    return { transcript: real.transcript, error: violation(real) ?? error }
  } finally {
    await real.close()
  }
}

/** Ends all faults, and makes another quake happen. When that quake arrives, every earlier quake has arrived or is lost. */
async function recover(real: SystemUnderTest): Promise<void> {
  real.cutAfter(undefined)
  if (real.isStalled) await real.unstall()
  if (real.isHistoryBlocked) await real.unblockHistory()
  if (!real.isConsuming) await real.resumeConsumer()
  await real.stayConnected()
  await real.happen(1)
  await real.stayConnected()
}

/** Returns the broken invariant, if any, because it is closer to the cause than a timeout is. */
function violation(real: SystemUnderTest): unknown {
  try {
    checkInvariant(real)
  } catch (error) {
    return error
  }
}

/** Returns the quakes of a scenario with short IDs, `q1`, `q2` and so on, to make its steps easy to read. */
function stock(): Quake[] {
  const all: Quake[] = quakes(MAX_QUAKES)
  return all.map((quake, n) => ({ ...quake, id: `q${n + 1}` }))
}
