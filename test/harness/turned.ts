// Taken before the work is loaded, which may do with the global one what it likes.
const { setImmediate } = globalThis

/** After so many turns of the event loop: whoever has something to do by then has had the chance to. */
export async function turned(count = 1): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise<void>((done) => void setImmediate(done))
  }
}
