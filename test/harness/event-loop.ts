// Saved before the work is loaded, because the work may replace the global function.
const { setImmediate } = globalThis
const { nextTick } = process

/** Waits for `count` turns of the event loop, so that pending callbacks get a chance to run. */
export async function turns(count = 1): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise<void>((done) => void setImmediate(done))
  }
}

/**
 * Waits until pending promises and `process.nextTick()` callbacks have run, but before any timer or turn of the event
 * loop. A chain of streams takes a few ticks, so a hundred are enough.
 */
export async function flushTicks(): Promise<void> {
  for (let tick = 0; tick < 100; tick += 1) {
    await new Promise<void>((done) => void nextTick(done))
  }
}
