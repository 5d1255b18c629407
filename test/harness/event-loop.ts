// Save the function before the learner's code is loaded, because that code may replace the global function.
const { setImmediate } = globalThis
const { nextTick } = process

/** Waits for `count` turns of the event loop, so that pending callbacks can run. */
export async function turns(count = 1): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise<void>((done) => void setImmediate(done))
  }
}

/**
 * Waits until pending promises and `process.nextTick()` callbacks have run, but not for any timer or turn of the event
 * loop. A hundred ticks are enough, because a chain of streams needs only a few.
 */
export async function flushTicks(): Promise<void> {
  for (let tick = 0; tick < 100; tick += 1) {
    await new Promise<void>((done) => void nextTick(done))
  }
}
