// Taken before the work is loaded, which may do with the global one what it likes.
const { setImmediate } = globalThis
const { nextTick } = process

/** After so many turns of the event loop: whoever has something to do by then has had the chance to. */
export async function turns(count = 1): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise<void>((done) => void setImmediate(done))
  }
}

/**
 * After everything that waits for no more than a promise or `process.nextTick()`, and before any timer, any turn of
 * the event loop. A chain of streams takes a few ticks; a hundred are enough for each.
 */
export async function flushTicks(): Promise<void> {
  for (let tick = 0; tick < 100; tick += 1) {
    await new Promise<void>((done) => void nextTick(done))
  }
}
