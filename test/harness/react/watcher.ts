import { useLayoutEffect, type ReactNode } from 'react'
import type { Quake } from '#feed'
import { useQuakes } from '#work/03-react/useQuakes.ts'

export type Props = { url: string; onQuake?: (quake: Quake) => void }
export type View = ReturnType<typeof useQuakes>

/** A component that calls useQuakes() and records its own renders. */
export type Watcher = {
  Component(props: Props): ReactNode
  /** The view of the last render. */
  readonly view: View
  readonly renders: number
  /** The statuses that were shown, in order. A repeated status is listed only once. */
  readonly statuses: readonly string[]
  /** Returns whether the quake is in the list. */
  has(quake: Quake): boolean
}

export function newWatcher(): Watcher {
  let now: View | undefined
  const statuses: string[] = []
  let renders = 0
  return {
    Component({ url, onQuake }) {
      const view = useQuakes(url, onQuake)
      renders += 1
      useLayoutEffect(() => {
        now = view
        if (statuses.at(-1) !== view.status) statuses.push(view.status)
      })
      return null
    },
    get view() {
      return now!
    },
    get renders() {
      return renders
    },
    statuses,
    has: ({ id }) => now!.quakes.some((quake) => quake.id === id),
  }
}
