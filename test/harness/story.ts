import * as fc from 'fast-check'
import type { Quake } from '#feed'
import type { Tools } from './check.ts'
import { must } from './failure.ts'
import { CAPACITY, world, type Try, type World } from './world.ts'

/** A story that went wrong. */
export type WrongStory = { steps: readonly string[]; error: unknown }

export type Stories = {
  /** How many were played, and how often a client lost its connection in them. */
  runs: number
  losses: number
  /** The first that went wrong, as short as it could be made. */
  wrong?: WrongStory
}

type Options = {
  /** The same seed gives the same stories. */
  seed: number
  numRuns: number
  /** The quakes that happen in each of them. */
  stock: Quake[]
}

/**
 * Plays stories that nobody has thought up: quakes happen, connections are cut and stall, servers crash, readers take
 * their time. At the end of each the client has everything, once and in order, but for what it was told is gone.
 */
export async function playStories(t: Pick<Tools, 'serve'>, options: Options): Promise<Stories> {
  // What is not written yet says so itself, before the first story.
  const first = await world(t, { stock: [] })
  await first.begin().finally(() => first.close())
  // Most of what goes wrong waits in vain, and a story is told many times to make it short.
  const quick = await tell(t, options, QUICK)
  if (!quick.wrong) return quick
  const again = await play(t, quick.wrong.deeds, options.stock)
  return again.wrong ? { ...quick, wrong: again.wrong } : tell(t, options)
}

/** How many turns a story waits in vain that will be told again with all patience, see `patience()`. */
const QUICK = 4

type Deeds = Iterable<fc.AsyncCommand<World, World>>

async function tell(
  t: Pick<Tools, 'serve'>,
  { seed, numRuns, stock }: Options,
  turns?: number,
): Promise<Stories & { wrong?: WrongStory & { deeds: Deeds } }> {
  let runs = 0
  let losses = 0
  let wrong: (WrongStory & { deeds: Deeds }) | undefined
  const story = fc.asyncProperty(fc.limitShrink(deeds, MOST_SHRINKS), async (told) => {
    const played = await play(t, told, stock, turns)
    runs += 1
    losses += played.losses
    if (!played.wrong) return
    // Of these the last one is the shortest.
    wrong = { ...played.wrong, deeds: told }
    throw played.wrong.error
  })
  const { errorInstance } = await fc.check(story, { seed, numRuns })
  // No story, but what was to tell it.
  if (errorInstance && !wrong) throw errorInstance
  return { runs, losses, ...(wrong && { wrong }) }
}

async function play(
  t: Pick<Tools, 'serve'>,
  deeds: Deeds,
  stock: Quake[],
  turns?: number,
): Promise<{ losses: number; wrong?: WrongStory }> {
  const real = await world(t, { stock, ...(turns && { turns }) })
  try {
    await real.begin()
    await fc.asyncModelRun(() => ({ model: real, real }), deeds)
    await allIsWell(real)
    judge(real)
    return { losses: real.losses }
  } catch (error) {
    return { losses: real.losses, wrong: { steps: real.told.steps, error: earlier(real) ?? error } }
  } finally {
    await real.close()
  }
}

/** Takes all trouble away. Then one more quake happens: whatever is to come before it has come. */
async function allIsWell(real: World): Promise<void> {
  real.cutAfter(undefined)
  if (real.isStalled) await real.flow()
  if (real.isHistorySlow) await real.readHistory()
  if (!real.isReading) await real.readOn()
  while (real.isAway) await real.comeBack()
  await real.happen(1)
  while (real.isAway) await real.comeBack()
}

/** What was wrong before the client waited in vain, and is nearer to the cause. */
function earlier(real: World): unknown {
  try {
    judge(real)
  } catch (error) {
    return error
  }
}

/** Everything has come once and in order. What has not was no longer kept, and a gap was told in its place. */
function judge({ happened, given }: World): void {
  const expected =
    'Expected each quake once, in order, or to be told of a gap where some are not kept any more.'
  let last = -1
  let isGap = false
  for (const { id, happened: count } of given) {
    // What has gone by then.
    const gone = count - CAPACITY
    if (id === 'gap') {
      must(last !== -1 && last < gone, {
        seen: `The client had ${last === -1 ? 'nothing' : happened[last]}, and was told of a gap where none is.`,
        expected,
      })
      isGap = true
      continue
    }
    const at = happened.indexOf(id)
    must(at > last, {
      seen: `${id} came ${given.filter((other) => other.id === id).length > 1 ? 'twice' : `behind ${happened[last]}`}.`,
      expected,
    })
    const missing = happened.slice(last + 1, at)
    const never = `${missing.join(', ')} never came`
    must(at <= Math.max(gone, last + 1), { seen: `${never}, and was still kept.`, expected })
    must(missing.length === 0 || isGap || last === -1, {
      seen: `${never}, and nobody told of a gap.`,
      expected,
    })
    last = at
    isGap = false
  }
}

// The deeds: when each is possible, and what is done

const deed = <T = undefined>(
  check: (real: World) => boolean,
  run: (real: World, value: T) => Promise<void> | void,
  values = fc.constant(undefined) as fc.Arbitrary<T>,
): fc.Arbitrary<fc.AsyncCommand<World, World>> =>
  values.map((value) => ({
    check,
    run: async (_model, real) => run(real, value),
    toString: () => '',
  }))

const MOST_DEEDS = 24
const MOST_AT_ONCE = CAPACITY + 2

/** More cannot happen in a story, with the one at its end. */
export const MOST_QUAKES = MOST_DEEDS * MOST_AT_ONCE + 1

const count = fc.integer({ min: 1, max: MOST_AT_ONCE })
const bytes = fc.integer({ min: 1, max: 400 })
const tries = fc.array(fc.constantFrom<Try>('nobody', '503'), { maxLength: 2 })
const answer = fc.constantFrom('as it was' as const, 'as it is' as const)

const happen = deed(
  () => true,
  (real, n: number) => real.happen(n),
  count,
)
const cut = deed(
  (real) => !real.isAway,
  (real) => real.cut(),
)
const cutAfter = deed(
  (real) => !real.isAway,
  (real, n: number) => real.cutAfter(n),
  bytes,
)
const comeBack = deed(
  (real) => real.isAway,
  (real) => real.comeBack(),
)

const slowHistory = deed(
  (real) => !real.isHistorySlow,
  (real, how: 'as it was' | 'as it is') => real.slowHistory(how),
  answer,
)

const deeds = fc.commands(
  [
    // What makes most stories comes more often.
    ...[
      happen,
      happen,
      happen,
      cut,
      cutAfter,
      comeBack,
      comeBack,
      comeBack,
      slowHistory,
      slowHistory,
    ],
    deed(
      (real) => !real.isStalled,
      (real) => real.stall(),
    ),
    deed(
      (real) => real.isStalled,
      (real) => real.flow(),
    ),
    deed(
      (real) => real.isStalled && real.isReading && !real.isAway,
      (real) => real.beSilent(),
    ),
    deed(
      () => true,
      (real, met: Try[]) => real.crash(met),
      tries,
    ),
    deed(
      () => true,
      (real) => real.shutDown(),
    ),
    deed(
      (real) => real.isReading,
      (real) => real.stopReading(),
    ),
    deed(
      (real) => !real.isReading,
      (real) => real.readOn(),
    ),
    deed(
      (real) => real.isHistorySlow,
      (real) => real.readHistory(),
    ),
  ],
  { maxCommands: MOST_DEEDS, size: 'max' },
)

/** So that wrong work is not told for ever. */
const MOST_SHRINKS = 60
