import type { Quake } from '#feed'
export type StreamEvent = { type: string; data: string }

export async function* readQuakes(events: AsyncIterable<StreamEvent>): AsyncGenerator<Quake> {
  const queue: (Quake | undefined)[] = []
  let wake = (): void => {}
  let failed: unknown
  void (async () => {
    try {
      for await (const { type, data } of events) {
        if (type === 'end') {
          queue.push(undefined)
          return
        }
        if (type === 'message') queue.push(JSON.parse(data) as Quake)
        wake()
      }
      failed = new Error('cut off')
    } catch (error) {
      failed = error
    } finally {
      wake()
    }
  })()
  for (;;) {
    if (queue.length > 0) {
      const quake = queue.shift()
      if (!quake) return
      yield quake
      continue
    }
    if (failed) throw failed
    await new Promise<void>((resolve) => {
      wake = resolve
    })
  }
}
