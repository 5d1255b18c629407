/**
 * Waits until a condition is true, or the time is up, or the signal is aborted. It looks at regular intervals, because the
 * conditions are too expensive to check at every piece of a fast stream.
 */
export function until(
  isTrue: () => boolean,
  { ms, signal }: { ms: number; signal?: AbortSignal | undefined },
): Promise<void> {
  return new Promise((resolve) => {
    const ends = performance.now() + ms
    const look = (): void => {
      if (isTrue() || signal?.aborted || performance.now() >= ends) resolve()
      else setTimeout(look, LOOK_MS)
    }
    look()
  })
}

const LOOK_MS = 20
