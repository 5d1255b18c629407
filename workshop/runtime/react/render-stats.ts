/** Counts renders and measures frames, and shows both in `output`. */
export function renderStats(output: Element): { count(): void; reset(): void } {
  let renders = 0
  let longestMs = 0
  let last = performance.now()

  function frame(now: number): void {
    // In a background tab, the browser draws no frames, so do not count that time as a long frame.
    if (!document.hidden) longestMs = Math.max(longestMs, now - last)
    last = now
    const text = `${renders} renders · longest frame ${Math.round(longestMs)} ms`
    if (output.textContent !== text) output.textContent = text
    requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)
  document.addEventListener('visibilitychange', () => (last = performance.now()))

  return {
    count: () => void (renders += 1),
    reset() {
      renders = 0
      longestMs = 0
      last = performance.now()
    },
  }
}
