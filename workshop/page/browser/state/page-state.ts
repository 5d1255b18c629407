import type { ClientState, PageState } from '../../../../protocol/page.ts'
import { store, useStore } from './store.ts'

/** The latest state of the workshop, in slices. */
export const pageState = store<Partial<PageState>>({})

/** The state of the connection to the workshop's channel. */
export const channelState = store<'connecting' | 'live' | 'reconnecting'>('connecting')

/** The ID of the check to show in detail. If undefined, the page shows the most important failure. */
export const selectedCheck = store<string | undefined>(undefined)

/** The IDs of clients that had finished when the wire was cleared. They are no longer shown. */
export const clearedClients = store<ReadonlySet<number>>(new Set())

export function useSlice<Name extends keyof PageState>(name: Name): PageState[Name] | undefined {
  return useStore(pageState, (state) => state[name])
}

/** Returns whether the connection to the workshop is lost. If so, everything on the page may be out of date. */
export function useIsGone(): boolean {
  return useStore(channelState, (state) => state === 'reconnecting')
}

export function hasFinished({ state }: ClientState): boolean {
  return state !== 'connecting' && state !== 'reading'
}

export function clearFinishedClients(): void {
  const finished = (pageState.get().clients ?? []).filter(hasFinished)
  clearedClients.set(new Set(finished.map(({ id }) => id)))
}
