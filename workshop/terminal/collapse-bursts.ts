import type { Arrival } from '../../wire/arrival.ts'

/** Keeps a burst readable: the first few things of a moment are shown, the others are counted. */
export type BurstCollapser = {
  /** Shows `make()`, or counts it. */
  show(make: () => string, arrival?: Arrival): void
  /** Shows what was counted. */
  flush(): void
}

export function collapseBursts(print: (text: string) => void): BurstCollapser {
  let shown = 0
  let folded = { count: 0, request: 0, response: 0 }
  let moment: NodeJS.Timeout | undefined

  function flush(): void {
    clearTimeout(moment)
    moment = undefined
    shown = 0
    const { count, request, response } = folded
    folded = { count: 0, request: 0, response: 0 }
    // A connection that opens or closes has no bytes.
    const sizes = [
      ...(request > 0 ? [`→ request ${request} B`] : []),
      ...(response > 0 ? [`← response ${response} B`] : []),
    ]
    const what = sizes.length > 0 ? sizes.join(', ') : 'connections opened or closed'
    if (count > 0) print(`… and ${count} more: ${what}`)
  }

  return {
    flush,
    show(make, arrival) {
      moment ??= setTimeout(flush, MOMENT_MS).unref()
      shown += 1
      if (shown <= MOST) {
        print(make())
        return
      }
      folded.count += 1
      if (arrival) folded[arrival.direction] += arrival.bytes.length
    },
  }
}

const MOMENT_MS = 200
const MOST = 6
