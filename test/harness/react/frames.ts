import './dom.ts'

/** The animation frames of the page, which the check draws. */
export type HeldFrames = {
  /** Draws one frame. */
  draw(): void
}

type Callback = (now: number) => void

/** Holds every animation frame from now on, until the check draws it. Needs an exclusive page. */
export function holdFrames(t: { atEnd(cleanUp: () => unknown): void }): HeldFrames {
  const held = new Map<number, Callback>()
  let made = 0
  const values = {
    requestAnimationFrame(callback: Callback) {
      made += 1
      held.set(made, callback)
      return made
    },
    cancelAnimationFrame: (id: number) => void held.delete(id),
  }
  for (const target of [globalThis, window]) {
    const { requestAnimationFrame, cancelAnimationFrame } = target
    Object.assign(target, values)
    t.atEnd(() => Object.assign(target, { requestAnimationFrame, cancelAnimationFrame }))
  }
  return {
    draw() {
      const now = performance.now()
      const callbacks = [...held.values()]
      held.clear()
      for (const callback of callbacks) callback(now)
    },
  }
}
