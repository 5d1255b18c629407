/** A position in the deck: the indices of the slide and of its last revealed fragment, as reveal.js counts them. */
export type SlidePosition = { h: number; v: number; f: number }

/** The instructor's position, which followers can listen to. */
export type Leader = {
  readonly position: SlidePosition
  /** The number of moves so far. */
  readonly moves: number
  goTo(position: SlidePosition): void
  /** Calls `moved` after each move. Returns a function that stops the calls. */
  listen(moved: () => void): () => void
}

export function leader(): Leader {
  const followers = new Set<() => void>()
  let position: SlidePosition = { h: 0, v: 0, f: -1 }
  let moves = 0
  return {
    get position() {
      return position
    },
    get moves() {
      return moves
    },
    goTo(next) {
      position = next
      moves += 1
      for (const moved of followers) moved()
    },
    listen(moved) {
      followers.add(moved)
      return () => followers.delete(moved)
    },
  }
}

/** Returns the position in a request's body, or undefined if the body is not a position. */
export function positionIn(body: unknown): SlidePosition | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const { h, v, f }: Record<string, unknown> = { ...body }
  const isIndex = (value: unknown, least: number): value is number =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= 10_000
  return isIndex(h, 0) && isIndex(v, 0) && isIndex(f, -1) ? { h, v, f } : undefined
}
