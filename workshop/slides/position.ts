/** A position in the deck: the indices of the slide and of its last revealed fragment, as reveal.js counts them. */
export type SlidePosition = { h: number; v: number; f: number }

/** What the instructor's deck shows at the moment. */
export type Stage = {
  position: SlidePosition
  /** Whether the instructor has blanked the screen. */
  isBlank: boolean
  /** The name of the scene whose program is running. */
  runs?: string
  countdown?: CountdownState
}

/** The last countdown that was started, and the slide that shows it. `endsAt` is in milliseconds since 1970. */
export type CountdownState = { h: number; v: number; leftMs: number; endsAt?: number }

/** The instructor's deck, which followers can listen to. */
export type Leader = {
  readonly stage: Stage
  /** The number of changes so far. Before the first change, the stage means nothing. */
  readonly moves: number
  show(stage: Stage): void
  /** Calls `moved` after each change. Returns a function that stops the calls. */
  listen(moved: () => void): () => void
}

export function leader(): Leader {
  const followers = new Set<() => void>()
  let stage: Stage = { position: { h: 0, v: 0, f: -1 }, isBlank: false }
  let moves = 0
  return {
    get stage() {
      return stage
    },
    get moves() {
      return moves
    },
    show(next) {
      stage = next
      moves += 1
      for (const moved of followers) moved()
    },
    listen(moved) {
      followers.add(moved)
      return () => followers.delete(moved)
    },
  }
}

/** Returns the stage in a request's body, or undefined if the body is not a stage. */
export function stageIn(body: unknown): Stage | undefined {
  const { position: place, isBlank, runs, countdown: timer } = fieldsOf(body)
  const position = positionIn(place)
  const countdown = countdownIn(timer)
  const isKnown =
    position !== undefined &&
    typeof isBlank === 'boolean' &&
    (runs === undefined || (typeof runs === 'string' && /^[a-z0-9-]+$/.test(runs))) &&
    (timer === undefined || countdown !== undefined)
  if (!isKnown) return undefined
  return { position, isBlank, ...(runs && { runs }), ...(countdown && { countdown }) }
}

function positionIn(body: unknown): SlidePosition | undefined {
  const { h, v, f } = fieldsOf(body)
  return isIndex(h, 0) && isIndex(v, 0) && isIndex(f, -1) ? { h, v, f } : undefined
}

function countdownIn(body: unknown): CountdownState | undefined {
  const { h, v, leftMs, endsAt } = fieldsOf(body)
  const isKnown =
    isIndex(h, 0) && isIndex(v, 0) && isTime(leftMs) && (endsAt === undefined || isTime(endsAt))
  return isKnown ? { h, v, leftMs, ...(endsAt !== undefined && { endsAt }) } : undefined
}

function fieldsOf(body: unknown): Record<string, unknown> {
  return typeof body === 'object' ? { ...body } : {}
}

function isIndex(value: unknown, least: number): value is number {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= 10_000
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
