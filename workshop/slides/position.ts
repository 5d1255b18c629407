/** Where the instructor is: indices of the slide and of what has been revealed on it, as reveal.js counts them. */
export type SlidePosition = { h: number; v: number; f: number }

/** The instructor's position, and those who follow it. */
export type Leader = {
  readonly position: SlidePosition
  /** Grows with every move. */
  readonly moves: number
  goTo(position: SlidePosition): void
  /**
   * Calls `moved` after each move.
   *
   * @returns stops it
   */
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

/** The position in a request's body; undefined when it is none. */
export function positionIn(body: unknown): SlidePosition | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const { h, v, f }: Record<string, unknown> = { ...body }
  const isIndex = (value: unknown, least: number): value is number =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= 10_000
  return isIndex(h, 0) && isIndex(v, 0) && isIndex(f, -1) ? { h, v, f } : undefined
}
