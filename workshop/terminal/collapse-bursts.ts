import type { Arrival } from '../../wire/arrival.ts'

/** Keeps bursts readable. Of the lines within a short time, it shows the first few and only counts the others. */
export type BurstCollapser = {
  /** Prints the line that `make()` returns, or only counts the line. */
  show(make: () => string, arrival?: Arrival): void
  /** Prints a summary of the lines that were counted but not printed. */
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
    // The opening or closing of a connection has no bytes.
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
