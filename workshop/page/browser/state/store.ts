import { useSyncExternalStore } from 'react'

/** A value outside React. Listeners are called when it changes. */
export type Store<T> = {
  get(): T
  set(value: T): void
  listen(changed: () => void): () => void
}

export function store<T>(initial: T): Store<T> {
  let value = initial
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return
      value = next
      for (const changed of listeners) changed()
    },
    listen(changed) {
      listeners.add(changed)
      return () => listeners.delete(changed)
    },
  }
}

/** Returns a store's value, or the part that `pick` selects. The component renders again only if the returned value changes. */
export function useStore<T>(watched: Store<T>): T
export function useStore<T, Part>(watched: Store<T>, pick: (value: T) => Part): Part
export function useStore(watched: Store<unknown>, pick = (value: unknown) => value): unknown {
  return useSyncExternalStore(watched.listen, () => pick(watched.get()))
}
